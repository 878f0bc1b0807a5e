// Prints the error reference from the error table; what docs/reference/errors.md is made by, and checked against.
import { errorCodes, errorTable, mediaReasonCodes, mediaReasons } from "@thikaa/schema";

const rows = errorCodes.map((code) => {
  const { status, en, ar, todo } = errorTable[code];
  return `| ${status} | \`${code}\` | ${cell(en)} | <span dir="rtl">${cell(ar)}</span> | ${cell(todo)} |`;
});

const reasons = mediaReasonCodes.map((code) => {
  const { en, ar } = mediaReasons[code];
  return `| \`${code}\` | ${cell(en)} | <span dir="rtl">${cell(ar)}</span> |`;
});

process.stdout.write(`# Errors

Every error is \`{"ok": false, "error", "message", "request_id", "details"?}\`. The code is the contract; the message is in English, or in Arabic with \`Accept-Language: ar\`. \`send\` checks in the order of this table: of several faults, the first one is told.

| HTTP | error | English | العربية | what to do |
| --- | --- | --- | --- | --- |
${rows.join("\n")}

## Files

A message that fails by its file, and a customer's file that could not be fetched, say so in \`reason.code\`.

| reason | English | العربية |
| --- | --- | --- |
${reasons.join("\n")}
`);

function cell(text: string): string {
  return text.replaceAll("|", String.raw`\|`);
}
