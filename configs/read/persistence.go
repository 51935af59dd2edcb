package read

import (
	"slices"
	"strings"

	"coatcheck/configs"
)

// notTruths are texts that somebody means as a boolean, and nobody calls a field.
var notTruths = []string{"true", "false", "yes", "no", "on", "off"}

// persistence decodes true, false, or the name of a field. A variable may stand for each.
func (d *decoder) persistence(f field, n *node, into *configs.Persistence) {
	value, expanded := n.written, true
	if n.kind == text {
		var ok bool
		if value, expanded, ok = d.expanded(f, n.written); !ok {
			return
		}
	}
	switch {
	case n.kind != text && n.kind != boolean, !expanded && slices.Contains(notTruths, strings.ToLower(value)):
		d.mismatch(f, n, boolean, "write true or false, without quotes, or the name of a boolean sign-in field")
	case strings.EqualFold(value, "true"):
		*into = configs.Persistence{Always: true}
	case strings.EqualFold(value, "false"):
	case value == "":
		d.fault(f.at, f.path, "must not be empty", "true, false, or the name of a boolean sign-in field")
	default:
		into.Field = value
	}
}
