package read

import (
	"coatcheck/configs"
)

// kind is what a node of a YAML document is.
type kind int

const (
	nothing kind = iota // null, or no value at all
	boolean
	integer
	float
	text
	list
	table // a mapping, in YAML's words
)

// String implements [fmt.Stringer] with a fault's words.
func (k kind) String() string {
	return [...]string{"nothing", "true or false", "a whole number", "a number", "a string", "a list", "a mapping"}[k]
}

// given is the kind in words for a value that has the wrong one.
func (k kind) given() string {
	switch k {
	case boolean:
		return "a boolean"
	case integer:
		return "a number"
	}
	return k.String()
}

// node is a YAML value with its place, free of the YAML library: anchors, merge
// keys and tags are resolved. Nodes are shared between an anchor and its
// aliases, so nothing changes one after it was made.
type node struct {
	kind    kind
	at      configs.Position
	written string // scalars: the content of a text, or a number as it was written
	bare    bool   // null, because a key in { } has neither colon nor value
	scalar  any    // bool, int64, uint64 or float64
	items   []*node
	entries []entry
	size    int // nodes in this tree, aliases counted as often as they are used
	depth   int // levels in this tree
}

// entry is one key of a mapping, in the order of the file.
type entry struct {
	key   string
	at    configs.Position
	value *node
}

// place is where a fault about the value of an entry is reported: a scalar
// stands at its own place, a list or a mapping at its key's.
func (e entry) place() configs.Position {
	if e.value.kind == list || e.value.kind == table || e.value.at.Line == 0 {
		return e.at
	}
	return e.value.at
}

// find returns the value of key; nil where there is none.
func (n *node) find(key string) *node {
	for _, e := range n.entries {
		if e.key == key {
			return e.value
		}
	}
	return nil
}

// measure sets size and depth from the children, which must be measured already.
func (n *node) measure() {
	n.size, n.depth = 1, 1
	add := func(child *node) {
		n.size = min(n.size+child.size, maxNodes+1) // saturates: an alias bomb must not overflow
		n.depth = max(n.depth, child.depth+1)
	}
	for _, item := range n.items {
		add(item)
	}
	for _, e := range n.entries {
		add(e.value)
	}
}
