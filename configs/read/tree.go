package read

import (
	"math"
	"strconv"

	"github.com/goccy/go-yaml/ast"

	"coatcheck/configs"
	"coatcheck/configs/keypath"
)

// position returns where a library's node stands.
func position(n ast.Node) configs.Position {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return configs.Position{}
	}
	p := n.GetToken().Position
	return configs.Position{Line: p.Line, Column: max(p.Column, 1)}
}

// node turns one of the library's nodes into ours. What is faulty becomes an empty node.
func (r *reader) node(path string, from ast.Node) *node {
	n := &node{at: position(from)}
	switch from := from.(type) {
	case nil, *ast.NullNode:
	case *ast.StringNode:
		n.kind, n.written = text, from.Value
	case *ast.LiteralNode:
		n.kind, n.written = text, from.Value.Value
	case *ast.BoolNode:
		n.kind, n.written, n.scalar = boolean, from.Token.Value, from.Value
	case *ast.IntegerNode:
		n.kind, n.written, n.scalar = integer, from.Token.Value, wholeNumber(from.Value)
	case *ast.FloatNode:
		n.kind, n.written, n.scalar = float, from.Token.Value, from.Value
	case *ast.SequenceNode:
		r.list(path, from, n)
	case *ast.MappingNode:
		r.mapping(path, from.Values, n)
	case *ast.MappingValueNode:
		r.mapping(path, []*ast.MappingValueNode{from}, n)
	case *ast.AnchorNode:
		return r.anchor(path, from)
	case *ast.AliasNode:
		return r.alias(path, from)
	case *ast.TagNode:
		r.fault(n.at, path, "YAML tags (!…) are not supported", "remove the tag")
	default: // infinities and what else no configuration holds
		r.fault(n.at, path, "this kind of value is not supported in a configuration", "")
	}
	n.measure()
	return r.bounded(path, n)
}

// bounded refuses a tree that aliases made too large or too deep.
func (r *reader) bounded(path string, n *node) *node {
	if n.size <= maxCopies+r.tokens && n.depth <= maxDepth {
		return n
	}
	r.fault(n.at, path, "too large or nested too deeply", "write it without aliases")
	return &node{at: n.at, size: 1, depth: 1}
}

func (r *reader) list(path string, from *ast.SequenceNode, n *node) {
	n.kind = list
	for i, value := range from.Values {
		n.items = append(n.items, r.node(keypath.Item(path, i), value))
	}
}

func (r *reader) mapping(path string, values []*ast.MappingValueNode, n *node) {
	n.kind = table
	seen := map[string]configs.Position{}
	var merged []entry
	for _, v := range values {
		if _, ok := v.Key.(*ast.MergeKeyNode); ok {
			merged = append(merged, r.merge(path, v)...)
			continue
		}
		key, ok := r.key(path, v.Key)
		if !ok {
			continue
		}
		e := entry{key: key, at: position(v.Key), value: r.node(keypath.Child(path, key), v.Value)}
		e.value.bare = isBare(e)
		if first, twice := seen[key]; twice {
			r.fault(e.at, keypath.Child(path, key), "duplicate key", "first on line "+strconv.Itoa(first.Line))
			continue
		}
		seen[key] = e.at
		n.entries = append(n.entries, e)
	}
	if len(n.entries) > 0 {
		n.at = n.entries[0].at
	}
	for _, e := range merged { // YAML's merge: what is written here wins, then what was merged first
		if _, taken := seen[e.key]; !taken {
			seen[e.key] = e.at
			n.entries = append(n.entries, e)
		}
	}
}

// isBare reports whether an entry is a name alone, as in {email}: the library puts the
// null that is its value right behind the key's first letter.
func isBare(e entry) bool {
	return e.value.kind == nothing && e.value.at.Line == e.at.Line && e.value.at.Column == e.at.Column+1
}

// key returns a key's text. Lists and mappings as keys have no meaning here.
func (r *reader) key(path string, from ast.MapKeyNode) (string, bool) {
	if explicit, ok := from.(*ast.MappingKeyNode); ok { // "? key"
		if inner, ok := explicit.Value.(ast.MapKeyNode); ok {
			return r.key(path, inner)
		}
	}
	switch key := from.(type) {
	case *ast.StringNode:
		return key.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return key.GetToken().Value, true
	}
	r.fault(position(from), path, "keys must be plain text", "")
	return "", false
}

// merge returns the entries of "<<: *name" or "<<: [*a, *b]".
func (r *reader) merge(path string, v *ast.MappingValueNode) []entry {
	value := r.node(keypath.Child(path, "<<"), v.Value)
	switch value.kind {
	case table:
		return value.entries
	case list:
		var entries []entry
		for _, each := range value.items {
			entries = append(entries, each.entries...)
		}
		return entries
	}
	r.fault(position(v.Key), keypath.Child(path, "<<"), "only a mapping can be merged", "<<: *name")
	return nil
}

// anchor registers a value under its name once it is complete, so that no value can contain itself.
func (r *reader) anchor(path string, from *ast.AnchorNode) *node {
	n := r.node(path, from.Value)
	if from.Name != nil {
		r.anchors[from.Name.GetToken().Value] = n
	}
	return n
}

func (r *reader) alias(path string, from *ast.AliasNode) *node {
	if from.Value != nil {
		if n, ok := r.anchors[from.Value.GetToken().Value]; ok {
			return n
		}
	}
	r.fault(position(from), path, "no anchor (&name) of this name above", "put text that starts with * in quotes")
	return &node{at: position(from), size: 1, depth: 1}
}

// wholeNumber returns the library's integers as int64 where they fit.
func wholeNumber(value any) any {
	if u, ok := value.(uint64); ok && u <= math.MaxInt64 {
		return int64(u)
	}
	return value
}
