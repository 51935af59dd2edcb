// The API's people, as upstream/demo/people.go has them. Their passwords are no
// secrets: they open this demo only.
export type Person = readonly [name: string, email: string, password: string]

export const people = {
  shop: [
    ["Ada", "ada@shop.example", "engine-number-one"],
    ["Grace + code", "grace@shop.example", "ship-in-harbour"],
    ["a locked account", "locked@shop.example", "lost-my-key"],
  ],
  admin: [
    ["Radia", "radia@admin.example", "spanning-tree"],
    ["Hedy", "hedy@admin.example", "piano-roll-88"],
  ],
} as const satisfies Record<string, readonly Person[]>

export type Frontend = keyof typeof people

export const names: Record<Frontend, string> = { shop: "The shop", admin: "The back office" }
