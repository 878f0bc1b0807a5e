// Every mutation there is.
import { commandMutations } from "./command-mutations.ts";
import { lineMutations } from "./line-mutations.ts";
import type { Mutation } from "./mutation.ts";
import { phoneMutations } from "./phone-mutations.ts";

export const mutations: readonly Mutation[] = [
  ...lineMutations,
  ...phoneMutations,
  ...commandMutations,
];
