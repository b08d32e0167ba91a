import { IPTABLES } from "./iptables.ts";
import type { Method } from "./method.ts";
import { NFT, NFT_INET } from "./nft.ts";
import { ROUTES } from "./routes.ts";

/** Best first: the planner takes the first that the host's own tools and kernel accept. */
export const METHODS: readonly Method[] = [NFT, NFT_INET, ...IPTABLES, ROUTES];

export function methodOf(id: string): Method {
  const found = METHODS.find((method) => method.id === id);
  if (!found) throw new Error(`There is no method '${id}'.`);
  return found;
}
