package read

import (
	"regexp"
	"slices"

	"coatcheck/configs"
	"coatcheck/configs/keypath"
)

// fileAlone is a text that is one ${file:PATH} and nothing else.
var fileAlone = regexp.MustCompile(`^\$\{file:([^{}]+)\}$`)

// liveFile decodes a file that is not read now but at every use.
func (d *decoder) liveFile(f field, n *node, into *configs.LiveFile) {
	if n.kind != text {
		d.mismatch(f, n, text, "${file:PATH}")
		return
	}
	found := fileAlone.FindStringSubmatch(n.written)
	if found == nil {
		d.fault(f.at, f.path, "a file that is read again at every use is written ${file:PATH}", "${file:/var/run/secrets/assertion}")
		return
	}
	into.Path = found[1]
}

// names decodes one name, or a list of them.
func (d *decoder) names(f field, n *node, into *configs.Names) {
	items := []*node{n}
	if n.kind == list {
		items = n.items
	}
	for i, each := range items {
		at := f
		if n.kind == list {
			at = field{path: keypath.Item(f.path, i), at: d.itemPlace(f, each)}
			d.positions[at.path] = at.at
		}
		name, _, ok := d.text(at, each)
		switch {
		case !ok:
		case name == "":
			d.fault(at.at, at.path, "must not be empty", "")
		case slices.Contains(*into, name):
			d.fault(at.at, at.path, "duplicate name", "")
		default:
			*into = append(*into, name)
		}
	}
}
