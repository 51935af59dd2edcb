package read

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/configs/rule"
	"coatcheck/upstream/mapping"
)

// own decodes the types that have a notation of their own.
func (d *decoder) own(f field, n *node, into any) bool {
	switch into := into.(type) {
	case *time.Duration:
		parsed(d, f, n, into, parseDuration)
	case *configs.Size:
		parsed(d, f, n, into, parseSize)
	case *netip.Prefix:
		parsed(d, f, n, into, parsePrefix)
	case *credential.Secret:
		d.secret(f, n, into)
	case *mapping.Template:
		mappingDecoder{d}.template(f, n, into)
	case *mapping.Body:
		mappingDecoder{d}.body(f, n, into)
	case *mapping.Match:
		mappingDecoder{d}.match(f, n, into)
	case *mapping.Place:
		mappingDecoder{d}.takenFrom(f, n, into)
	case *configs.LiveFile:
		d.liveFile(f, n, into)
	case *configs.Names:
		d.names(f, n, into)
	case *configs.Persistence:
		d.persistence(f, n, into)
	default:
		return callerDecoder{d}.callerValue(f, n, into)
	}
	return true
}

// mayBeNull reports whether null is a value of the type, not the lack of one.
func mayBeNull(pointer any) bool {
	switch pointer.(type) {
	case *mapping.Match, *configs.Accepted:
		return true
	}
	return false
}

// text returns a text with its variables replaced; ok is false where there is
// none and a fault was reported.
func (d *decoder) text(f field, n *node) (value string, expanded, ok bool) {
	if n.kind != text {
		d.mismatch(f, n, text, quoting(f, n))
		return "", false, false
	}
	return d.expanded(f, n.written)
}

// quoting is the hint for a scalar that should be text: quotes, unless what they hold
// would be the next fault.
func quoting(f field, n *node) string {
	words, like := f.tag.Get("enum"), f.tag.Get("like")
	switch {
	case n.kind == nothing || n.kind == list || n.kind == table:
		return ""
	case words != "":
		return strings.ReplaceAll(words, "|", ", ")
	case strings.HasPrefix(like, ":") && rule.IsPort(n.written):
		return strconv.Quote(":" + n.written)
	case like != "":
		return strconv.Quote(like)
	}
	return "put it in quotes"
}

// expanded replaces the variables in written.
func (d *decoder) expanded(f field, written string) (value string, used, ok bool) {
	if bareVariable.MatchString(written) {
		d.fault(f.at, f.path, written+" is not expanded: write ${"+written[1:]+"}", "")
		return "", false, false
	}
	value, used, err := d.expand(written)
	if used {
		d.variables[f.path] = true
	}
	if used && err == nil && isQuoted(value) {
		d.warning(f.at, f.path, "the value begins and ends with a quote", "the quotes are part of the value: Docker's --env-file, for one, does not remove them")
	}
	if err == nil {
		return value, used, true
	}
	if errors.Is(err, errUnset) {
		if stand, ok := d.development.standIn(f.path); ok {
			return stand, true, true
		}
	}
	hint, unset, before := "", errors.Is(err, errUnset), len(d.faults)
	if unset {
		hint = "set it, or give a default: ${NAME:-text}"
	}
	d.fault(f.at, f.path, strings.ReplaceAll(err.Error(), "\n", "; "), hint)
	if len(d.faults) > before {
		d.faults[before].Unset = unset
	}
	return "", used, false
}

// word decodes a string, from a closed list where the tag gives one.
func (d *decoder) word(f field, n *node, into reflect.Value) {
	value, expanded, ok := d.text(f, n)
	if !ok {
		return
	}
	if words := f.tag.Get("enum"); words != "" && !contains(words, value) {
		list := strings.Split(words, "|")
		hint := ""
		if !expanded {
			hint = rule.Suggest(value, list)
		}
		d.fault(f.at, f.path, shown(value, expanded)+" is not allowed: use "+orList(list), hint)
		return
	}
	if value == "" && f.tag.Get("required") == "true" {
		d.fault(f.at, f.path, "must not be empty", "")
		return
	}
	into.SetString(value)
}

func contains(words, word string) bool {
	return word != "" && strings.Contains("|"+words+"|", "|"+word+"|") && !strings.Contains(word, "|")
}

// shown quotes a value for a fault's text, unless it came out of a variable.
func shown(value string, expanded bool) string {
	if expanded {
		return "the variable's value"
	}
	if len(value) > 64 {
		value = value[:64] + "…"
	}
	return strconv.Quote(value)
}

// plain returns a number or a boolean as it is written, or the text a variable
// gave in its place. Text that stands in the file itself is no number.
func (d *decoder) plain(f field, n *node, wanted kind) (value string, ok bool) {
	if n.kind == wanted {
		return n.written, true
	}
	if n.kind == text {
		value, expanded, ok := d.expanded(f, n.written)
		if !ok || expanded {
			return value, ok
		}
	}
	hint := ""
	if wanted == boolean {
		hint = "write true or false, without quotes"
	} else if n.kind == text {
		hint = "write the number without quotes"
	}
	d.mismatch(f, n, wanted, hint)
	return "", false
}

func (d *decoder) truth(f field, n *node, into reflect.Value) {
	value, ok := d.plain(f, n, boolean)
	switch {
	case !ok:
	case strings.EqualFold(value, "true"):
		into.SetBool(true)
	case strings.EqualFold(value, "false"):
		into.SetBool(false)
	default:
		d.fault(f.at, f.path, "the variable's value is not true or false", "")
	}
}

func (d *decoder) number(f field, n *node, into reflect.Value) {
	value, ok := d.plain(f, n, integer)
	if !ok {
		return
	}
	number, err := parseInt(value)
	if err != nil {
		d.fault(f.at, f.path, err.Error(), "")
		return
	}
	if inRange(d, f, number, parseInt) {
		into.SetInt(int64(number))
	}
}

// parsed decodes what is written as text (90s, 10MiB, 10.0.0.0/8) or as a plain number.
func parsed[T any](d *decoder, f field, n *node, into *T, parse func(string) (T, error)) {
	written, expanded := n.written, false
	if n.kind == text || n.kind == nothing || n.kind == list || n.kind == table {
		var ok bool
		if written, expanded, ok = d.text(f, n); !ok {
			return
		}
	}
	value, err := parse(written)
	if err != nil {
		hint := ""
		if !expanded {
			hint = likelyNotation(err, written)
		}
		d.fault(f.at, f.path, err.Error(), hint)
		return
	}
	if inRange(d, f, value, parse) {
		*into = value
	}
}

// inRange holds a value against the tags min and max.
func inRange[T any](d *decoder, f field, value T, parse func(string) (T, error)) bool {
	low, high := f.tag.Get("min"), f.tag.Get("max")
	if low == "" && high == "" {
		return true
	}
	v, l, h := reflect.ValueOf(value), reflect.ValueOf(must(parse(low))), reflect.ValueOf(must(parse(high)))
	if v.Int() >= l.Int() && v.Int() <= h.Int() {
		return true
	}
	d.fault(f.at, f.path, fmt.Sprintf("out of range: %s to %s", low, high), "")
	return false
}

// must is for tags: a test reads all of them.
func must[T any](value T, err error) T {
	if err != nil {
		panic("read: a struct tag is wrong: " + err.Error())
	}
	return value
}

func (d *decoder) secret(f field, n *node, into *credential.Secret) {
	value, _, ok := d.text(f, n)
	if !ok {
		return
	}
	if value == "" && f.tag.Get("required") == "true" {
		d.fault(f.at, f.path, "must not be empty", "")
	}
	*into = credential.NewSecret(value)
}
