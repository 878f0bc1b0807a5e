// A connection's credentials, checked by what the channel's own app says of its fields.
import { readChannelDescriptions } from "@thikaa/db";
import { ApiError, channels, nearestName } from "@thikaa/schema";
import type { ChannelCode, CredentialField, ErrorDetail } from "@thikaa/schema";
import { invalid, unknownField } from "../http/validate.ts";
import type { House } from "../house.ts";

const longestValue = 16_384;

/** The credential fields that each connection of a channel has; `conflict` when the channel's app has never run here. */
export async function connectionFields(
  house: House,
  channel: ChannelCode,
): Promise<readonly CredentialField[]> {
  const description = (await readChannelDescriptions(house.database)).get(channel);
  if (description === undefined) {
    throw new ApiError("conflict", {
      message: `No app of the channel '${channel}' (${channels[channel].name.en}) has ever run in this house, so it can't be connected. Start it, then try again.`,
    });
  }
  return description.credentials.filter((field) => field.level === "connection");
}

/** Checks credentials against a channel's fields; throws `invalid_request` that names each unknown, missing or empty one. */
export function checkCredentials(
  fields: readonly CredentialField[],
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const names = fields.map((field) => field.name);
  const strangers = Object.keys(given).filter((name) => !names.includes(name));
  const unknown = strangers.map((name) => unknownField(name, names, "credentials."));
  // A field that was only mistyped is not called missing beside it.
  const meant = new Set(strangers.map((name) => nearestName(name, names)));
  const missing = fields
    .filter(
      (field) =>
        field.required && (given[field.name] ?? "").trim() === "" && !meant.has(field.name),
    )
    .map(describeMissing);
  const long = fields
    .filter((field) => (given[field.name] ?? "").length > longestValue)
    .map((field) => ({
      path: `credentials.${field.name}`,
      message: `'${field.name}' is too long.`,
    }));
  const faults: ErrorDetail[] = [...unknown, ...missing, ...long];
  if (faults.length > 0) throw invalid(faults);
  return Object.fromEntries(
    fields.flatMap((field) =>
      (given[field.name] ?? "").trim() === ""
        ? []
        : [[field.name, (given[field.name] ?? "").trim()]],
    ),
  );
}

function describeMissing(field: CredentialField): ErrorDetail {
  return {
    path: `credentials.${field.name}`,
    message: `'${field.name}' (${field.label.en}) is missing. ${field.help.en}`,
  };
}
