// The admin token: compared in constant time, so that its characters can't be guessed one by one.
import { createHash, timingSafeEqual } from "node:crypto";
import { ApiError } from "@thikaa/schema";

/** A check of the `Authorization` header; it throws `unauthorized` when the token is missing or wrong. */
export function adminTokenCheck(adminToken: string): (authorization: string | undefined) => void {
  const expected = digest(adminToken);
  return (authorization) => {
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
    if (given === undefined || !timingSafeEqual(digest(given), expected))
      throw new ApiError("unauthorized");
  };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
