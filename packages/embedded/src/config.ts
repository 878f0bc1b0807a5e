// The one place of this package that reads the environment: what a child process may see of it.
const NETWORK_SETTINGS = [
  "http_proxy",
  "https_proxy",
  "ftp_proxy",
  "no_proxy",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
];

/** The folders in which programs are looked for, in order. */
export function searchPath(): string[] {
  return (process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin")
    .split(":")
    .filter((folder) => folder !== "");
}

/** Environment for a server child: nothing of ours, so no secret of the application reaches it. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
}

/** Environment for the distribution's package tools: plain English output and the machine's proxy settings. */
export function packageToolEnvironment(): NodeJS.ProcessEnv {
  const path = [...searchPath(), "/usr/sbin", "/usr/bin", "/sbin", "/bin"].join(":");
  const environment: NodeJS.ProcessEnv = {
    PATH: path,
    LC_ALL: "C",
    DEBIAN_FRONTEND: "noninteractive",
  };
  for (const name of NETWORK_SETTINGS) {
    if (process.env[name] !== undefined) environment[name] = process.env[name];
  }
  return environment;
}
