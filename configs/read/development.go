package read

import (
	"slices"
	"strings"

	"coatcheck/configs"
)

// Development are the values for a configuration that is tried out on one's own
// machine, where the file does not give them: in the file they are missing, or their
// variable is not set.
type Development struct {
	// Listen, Admin, Store and Key stand in for listen, admin.listen, sessions.store and
	// sessions.keys. Where Listen or Admin is empty, nothing does: the default holds.
	Listen, Admin, Store, Key string
}

// ForDevelopment is [File] for `coatcheck dev`, and for commands that serve nobody. stood names the keys of the configuration
// that were stood in for.
func ForDevelopment(path string, getenv func(string) (string, bool), with Development) (c *configs.Config, faults []configs.Fault, stood []string) {
	content, err := readBounded(path, maxFile)
	if err != nil {
		return nil, []configs.Fault{noFile(path, err)}, nil
	}
	d := &developer{Development: with}
	c, faults = decoded(path, content, getenv, func(name string) ([]byte, error) { return readBounded(name, maxExpanded) }, d)
	return c, faults, d.stood
}

// developer fills in what a file leaves out.
type developer struct {
	Development
	stood []string
}

// complete adds what is missing to the tree. Nodes are shared with aliases, so the
// section is copied before it is changed.
func (d *developer) complete(root *node) {
	if d.Listen != "" {
		d.add(root, "listen", "listen", scalarNode(root.at, d.Listen))
	}
	if admin := section(root, "admin"); admin != nil && d.Admin != "" {
		d.add(admin, "listen", "admin.listen", scalarNode(root.at, d.Admin))
	}
	if sessions := section(root, "sessions"); sessions != nil {
		d.add(sessions, "store", "sessions.store", scalarNode(root.at, d.Store))
		d.add(sessions, "keys", "sessions.keys", &node{kind: list, at: root.at, items: []*node{scalarNode(root.at, d.Key)}})
	}
}

// section is a section of the root that may be added to, a copy that takes the place of
// what is there. It is nil where something else than a section stands: the decoder
// reports that.
func section(root *node, key string) *node {
	own := &node{kind: table, at: root.at}
	for i, e := range root.entries {
		if e.key != key {
			continue
		}
		if e.value.kind == table {
			*own = *e.value
			own.entries = slices.Clone(e.value.entries)
		} else if e.value.kind != nothing {
			return nil
		}
		root.entries[i].value = own
		return own
	}
	root.entries = append(root.entries, entry{key: key, at: root.at, value: own})
	return own
}

// add gives a section a key that it has not got.
func (d *developer) add(to *node, key, path string, value *node) {
	if to.find(key) == nil {
		to.entries = append(to.entries, entry{key: key, at: to.at, value: value})
		d.stood = append(d.stood, path)
	}
}

func scalarNode(at configs.Position, written string) *node {
	return &node{kind: text, at: at, written: written}
}

// standIn is the value of a key whose variable is not set.
func (d *developer) standIn(path string) (string, bool) {
	if d == nil {
		return "", false
	}
	value := ""
	switch {
	case path == "sessions.store":
		value = d.Store
	case strings.HasPrefix(path, "sessions.keys["):
		value = d.Key
	default:
		return "", false
	}
	d.stood = append(d.stood, path)
	return value, true
}
