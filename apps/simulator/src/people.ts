// Who is in the sandbox: its customer, and its shop.

/** The customer of the sandbox. */
export const ZAINAB = {
  id: 700_000_001,
  firstName: "زينب",
  username: "zainab",
  languageCode: "ar",
  /** Her phone number, on WhatsApp. */
  number: "9647700000001",
} as const;

/** The phone of the sandbox's shop: the one to link, by its WhatsApp. */
export const SHOP = { number: "9647800000001", name: "متجر تجريبي · Demo shop" } as const;
