package http1

// names remembers which names the fields of a head may have: a bit for each, which several
// names share. Most names that are asked for are in no head, and need no look at its fields
// then. Zero remembers nothing.
type names uint64

func (n *names) add(name []byte) { *n |= bitOf(len(name), name[0], name[len(name)-1]) }

// lack reports whether no field can have this name, in lower case and not empty.
func (n names) lack(lower string) bool {
	return n != 0 && n&bitOf(len(lower), lower[0], lower[len(lower)-1]) == 0
}

func bitOf(length int, first, last byte) names {
	return 1 << ((uint(length)*7 + uint(Lower(first))*3 + uint(Lower(last))) % 64)
}
