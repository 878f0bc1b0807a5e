// The corpus of address forms: what may be connected to, under each set of rules.
import { expect, test } from "vitest";
import { addressFault } from "./address.ts";
import { checkUrl } from "./url.ts";

const strict = {
  allowLoopback: false,
  allowPrivateNetwork: false,
  allowHttp: false,
  allowAnyPort: false,
};
const development = { ...strict, allowLoopback: true, allowHttp: true, allowAnyPort: true };
const privateNetwork = { ...development, allowPrivateNetwork: true };

const loopback = ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1"];
const privateAddresses = [
  "10.0.0.1",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "100.64.0.1",
  "fc00::1",
  "fd00:ec2::254",
  "::ffff:10.0.0.1",
];
const never = [
  "0.0.0.0",
  "0.1.2.3",
  "169.254.169.254",
  "169.254.0.1%eth0",
  "192.0.0.8",
  "192.0.2.1",
  "192.88.99.1",
  "198.18.0.1",
  "198.51.100.1",
  "203.0.113.1",
  "224.0.0.1",
  "240.0.0.1",
  "255.255.255.255",
  "::",
  "fe80::1",
  "fe80::1%eth0",
  "fec0::1",
  "ff02::1",
  "100::1",
  "2001:db8::1",
  "3fff::1",
  "5f00::1",
  "64:ff9b::7f00:1",
  "64:ff9b::808:808",
  "64:ff9b:1::1",
  "2002:7f00:1::",
  "2001::1",
  "::ffff:0:7f00:1",
  "::7f00:1",
  "::808:808",
  "4000::1",
  "::ffff:169.254.169.254",
  "::ffff:a9fe:a9fe",
  "localhost",
  "",
  "999.1.1.1",
];
const open = [
  "8.8.8.8",
  "1.1.1.1",
  "172.32.0.1",
  "100.128.0.1",
  "2606:4700:4700::1111",
  "2a00:1450:4001:81b::200e",
  "::ffff:8.8.8.8",
];

test.each(open)("%s is public and allowed under every rule", (address) => {
  for (const rules of [strict, development, privateNetwork])
    expect(addressFault(address, rules)).toBeNull();
});

test.each(loopback)(
  "%s is this machine: refused in production, allowed in development",
  (address) => {
    expect(addressFault(address, strict)).toContain("not a public address");
    expect(addressFault(address, development)).toBeNull();
    expect(addressFault(address, privateNetwork)).toBeNull();
  },
);

test.each(privateAddresses)("%s is private: allowed only by the operator's word", (address) => {
  expect(addressFault(address, strict)).toContain("not a public address");
  expect(addressFault(address, development)).toContain("not a public address");
  expect(addressFault(address, privateNetwork)).toBeNull();
});

test.each(never)("'%s' is refused under every rule", (address) => {
  for (const rules of [strict, development, privateNetwork])
    expect(addressFault(address, rules)).toContain("not a public address");
});

const disguised = [
  "https://127.0.0.1/",
  "https://2130706433/",
  "https://0177.0.0.1/",
  "https://017700000001/",
  "https://0x7f.1/",
  "https://0x7f000001/",
  "https://127.1/",
  "https://127.0.0.1./",
  "https://①②⑦.0.0.1/",
  "https://127。0。0。1/",
  "https://%31%32%37.0.0.1/",
  "https://0/",
  "https://10.1/",
  "https://0xa9fea9fe/",
  "https://2852039166/",
  "https://169.254.43518/",
  "https://[::1]/",
  "https://[::]/",
  "https://[::ffff:127.0.0.1]/",
  "https://[::ffff:7f00:1]/",
  "https://[::127.0.0.1]/",
  "https://[64:ff9b::a9fe:a9fe]/",
  "https://[64:ff9b::127.0.0.1]/",
  "https://[2002:7f00:1::]/",
  "https://[fd00:ec2::254]/",
  "https://[fe80::1]/",
];

test.each(disguised)("%s is seen as the address it means", (url) => {
  expect(() => checkUrl(url, strict)).toThrow(
    expect.objectContaining({ code: "blocked_address", stage: "check", sent: false }),
  );
});

const unusable = [
  ["", "read"],
  ["not a url", "read"],
  ["//example.com/", "read"],
  ["https://", "read"],
  ["https://[fe80::1%25eth0]/", "read"],
  ["https://256.256.256.256/", "read"],
  [`https://example.com/${"a".repeat(2_048)}`, "read"],
  ["http://example.com/", "https://"],
  ["ftp://example.com/", "https://"],
  ["file:///etc/passwd", "https://"],
  ["gopher://example.com/", "https://"],
  ["https://user:password@example.com/", "password"],
  ["https://user@example.com/", "user name"],
  ["https://8.8.8.8@127.0.0.1/", "user name"],
  ["https://example.com:5432/", "5432"],
  ["https://example.com:22/", "22"],
] as const;

test.each(unusable)("'%s' is not usable, and the words say why", (url, word) => {
  expect(() => checkUrl(url, strict)).toThrow(
    expect.objectContaining({
      code: "invalid_url",
      message: expect.stringContaining(word) as string,
    }),
  );
});

test.each([
  "https://example.com/a?b=c",
  "https://example.com:8443/",
  "https://example.com:443/",
  "https://example.com./",
  "https://مثال.إختبار/",
])("%s passes the check before the look-up", (url) => {
  expect(checkUrl(url, strict)).toBeInstanceOf(URL);
});

test("plain http and any port pass only where they are allowed", () => {
  expect(checkUrl("http://127.0.0.1:3999/hook", development).port).toBe("3999");
  expect(() => checkUrl("http://10.0.0.5:3999/hook", development)).toThrow(
    expect.objectContaining({ code: "blocked_address" }),
  );
  expect(checkUrl("http://10.0.0.5:3999/hook", privateNetwork).hostname).toBe("10.0.0.5");
});
