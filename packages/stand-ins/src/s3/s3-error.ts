// Errors as S3 answers them, and the XML around them.

/** An error that is answered with S3's own word for it. */
export class S3Error extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = "S3Error";
    this.status = status;
    this.code = code;
  }
}

export const noSuchKey = (): S3Error =>
  new S3Error(404, "NoSuchKey", "The specified key does not exist.");

export const noSuchUpload = (): S3Error =>
  new S3Error(
    404,
    "NoSuchUpload",
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
  );

/** An XML document of one element with texts in it. */
export function xml(element: string, fields: Readonly<Record<string, string>>): string {
  const inner = Object.entries(fields).map(([name, text]) => `<${name}>${escape(text)}</${name}>`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${element}>${inner.join("")}</${element}>`;
}

function escape(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
