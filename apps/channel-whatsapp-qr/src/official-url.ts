// Where WhatsApp itself is.

/** WhatsApp's own server. Any other one is a stand-in, or a proxy before one: there is none of those in production. */
export const officialUrl = "wss://web.whatsapp.com";
