// Checks input against strict zod schemas; what is wrong is named field by field, an unknown field with the nearest known one.
import { ApiError, nearestName, storableJson } from "@thikaa/schema";
import type { ErrorDetail } from "@thikaa/schema";
import type { z } from "zod";

/** The parsed value, or an `invalid_request` whose details name every fault. */
export function validate<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  value: unknown,
): z.infer<z.ZodObject<Shape>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ApiError("invalid_request", { message: "The body must be a JSON object." });
  const parsed = schema.safeParse(storableJson(value));
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.flatMap((issue) =>
    describeIssue(issue, Object.keys(schema.shape)),
  );
  throw invalid(details);
}

/** An `invalid_request` of these details, its message led by the first. */
export function invalid(details: readonly ErrorDetail[]): ApiError {
  return new ApiError("invalid_request", {
    message: details.map((detail) => detail.message).join(" ") || undefined,
    details,
  });
}

/** Names an unknown field with the nearest known one. */
export function unknownField(name: string, known: readonly string[], prefix = ""): ErrorDetail {
  const nearest = nearestName(name, known);
  const hint =
    nearest === null ? `Known fields: ${known.join(", ")}.` : `Did you mean '${nearest}'?`;
  return { path: prefix + name, message: `Unknown field '${name}'. ${hint}` };
}

function describeIssue(issue: z.core.$ZodIssue, known: readonly string[]): ErrorDetail[] {
  if (issue.code === "unrecognized_keys" && issue.path.length === 0)
    return issue.keys.map((key) => unknownField(key, known));
  const path = issue.path.map(String).join(".");
  return [
    {
      path,
      message:
        path === "" || issue.message.includes(`'${path}'`)
          ? issue.message
          : `'${path}': ${issue.message}.`.replace(/\.\.$/, "."),
    },
  ];
}
