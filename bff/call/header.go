package call

import (
	"strconv"

	"coatcheck/bff/http1"
)

// Header is the fields of a reply, in order. Its zero value is empty. Framing
// (Content-Length, Transfer-Encoding, Connection, Trailer) is not part of it: the
// server writes that.
type Header struct {
	fields []http1.Field
	room   []byte // names and values; an older array stays alive where it had to grow
}

// Fields are all fields; they are valid until the header is changed.
func (h *Header) Fields() []http1.Field { return h.fields }

// Add appends a field.
func (h *Header) Add(name, value string) {
	h.fields = append(h.fields, http1.Field{Name: hold(h, name), Value: hold(h, value)})
}

// AddBytes appends a copy of a field.
func (h *Header) AddBytes(name, value []byte) {
	h.fields = append(h.fields, http1.Field{Name: hold(h, name), Value: hold(h, value)})
}

// Set puts one field in place of all with its name.
func (h *Header) Set(name, value string) {
	for i := range h.fields {
		if same(h.fields[i].Name, name) {
			h.fields[i] = http1.Field{Name: hold(h, name), Value: hold(h, value)}
			h.del(name, i+1)
			return
		}
	}
	h.Add(name, value)
}

// SetInt is Set with a number.
func (h *Header) SetInt(name string, n int64) {
	h.Del(name)
	f := http1.Field{Name: hold(h, name)}
	from := len(h.room)
	h.room = strconv.AppendInt(h.room, n, 10)
	f.Value = h.room[from:len(h.room):len(h.room)]
	h.fields = append(h.fields, f)
}

// Del removes all fields with this name.
func (h *Header) Del(name string) { h.del(name, 0) }

// del removes those from place from on.
func (h *Header) del(name string, from int) {
	kept := h.fields[:from]
	for _, f := range h.fields[from:] {
		if !same(f.Name, name) {
			kept = append(kept, f)
		}
	}
	h.fields = kept
}

// Get is the value of the first field with this name; empty: there is none.
func (h *Header) Get(name string) string {
	if f := h.find(name); f != nil {
		return string(f.Value)
	}
	return ""
}

// Vary adds a name to Vary, unless it is there (RFC 9110 §12.5.5).
func (h *Header) Vary(name string) {
	have := h.find("Vary")
	switch {
	case have == nil || len(have.Value) == 0:
		h.Set("Vary", name)
	case string(have.Value) == "*" || listHas(have.Value, name):
	default:
		from := len(h.room)
		h.room = append(append(append(h.room, have.Value...), ", "...), name...)
		have.Value = h.room[from:len(h.room):len(h.room)]
	}
}

func (h *Header) find(name string) *http1.Field {
	for i := range h.fields {
		if same(h.fields[i].Name, name) {
			return &h.fields[i]
		}
	}
	return nil
}

func hold[T string | []byte](h *Header, text T) []byte {
	from := len(h.room)
	h.room = append(h.room, text...)
	return h.room[from:len(h.room):len(h.room)]
}

func same(name []byte, other string) bool {
	if len(name) != len(other) {
		return false
	}
	for i := range name {
		if http1.Lower(name[i]) != http1.Lower(other[i]) {
			return false
		}
	}
	return true
}

// listHas compares ASCII letters only: to Unicode a Kelvin sign is a "k", and the name
// would be another.
func listHas(list []byte, name string) (found bool) {
	http1.EachListMember(list, func(member []byte) { found = found || same(member, name) })
	return found
}
