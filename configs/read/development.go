package read

import (
	"strings"

	"coatcheck/configs"
)

// Development are the values for a configuration that is tried out on one's own
// machine, where the file does not give them: in the file they are missing, or their
// variable is not set.
type Development struct {
	// Listen, Store and Key stand in for listen, sessions.store and sessions.keys.
	Listen, Store, Key string
}

// ForDevelopment is [File] for `coatcheck dev`. stood names the keys of the configuration
// that were stood in for.
func ForDevelopment(path string, getenv func(string) (string, bool), with Development) (c *configs.Config, faults []configs.Fault, stood []string) {
	content, err := readBounded(path, maxFile)
	if err != nil {
		return nil, []configs.Fault{{File: path, Message: "cannot be read: " + reason(err)}}, nil
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
	if root.find("listen") == nil {
		d.add(root, "listen", "listen", scalarNode(root.at, d.Listen))
	}
	sessions := &node{kind: table, at: root.at}
	if given := root.find("sessions"); given != nil && given.kind == table {
		*sessions = *given
		sessions.entries = append([]entry(nil), given.entries...)
	} else if given != nil && given.kind != nothing {
		return // reported by who decodes it
	}
	if sessions.find("store") == nil {
		d.add(sessions, "store", "sessions.store", scalarNode(root.at, d.Store))
	}
	if sessions.find("keys") == nil {
		d.add(sessions, "keys", "sessions.keys", &node{kind: list, at: root.at, items: []*node{scalarNode(root.at, d.Key)}})
	}
	for i, e := range root.entries {
		if e.key == "sessions" {
			root.entries[i].value = sessions
			return
		}
	}
	root.entries = append(root.entries, entry{key: "sessions", at: root.at, value: sessions})
}

func (d *developer) add(to *node, key, path string, value *node) {
	to.entries = append(to.entries, entry{key: key, at: to.at, value: value})
	d.stood = append(d.stood, path)
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
