// What a file's bytes may be shown as in place.

const shownTypes: readonly (readonly [start: RegExp, type: string])[] = [
  [/^\xff\xd8\xff/, "image/jpeg"],
  [/^\x89PNG/, "image/png"],
  [/^GIF8/, "image/gif"],
  [/^RIFF....WEBP/s, "image/webp"],
  [/^OggS/, "audio/ogg"],
  [/^(ID3|\xff[\xe2-\xff])/, "audio/mpeg"],
  [/^....ftyp/s, "audio/mp4"],
  [/^RIFF....WAVE/s, "audio/wav"],
];

/** The type of what is shown or played in place, by its first bytes; a plain one for anything else. */
export function shownType(bytes: Buffer): string {
  const start = bytes.subarray(0, 12).toString("latin1");
  const known = shownTypes.find(([beginning]) => beginning.test(start));
  return known?.[1] ?? "application/octet-stream";
}
