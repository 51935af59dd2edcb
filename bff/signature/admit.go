package signature

import (
	"crypto/subtle"
	"fmt"
	"strconv"
	"strings"

	configrule "coatcheck/configs/rule"
)

// line is a compiled [Line].
type line struct {
	at   *Place
	is   []want
	bare bool // without Is
}

// want is one value that may stand there.
type want struct {
	kind  kind
	plain string   // of a number, true, false
	text  template // of a text
	front bool     // a * in front
	back  bool     // a * behind
}

// holds reports whether the line holds; err is nil where that is known.
func (l *line) holds(r *reading) error {
	list, err := r.all(l.at)
	switch {
	case err != nil:
		return err
	case len(list) > 1:
		return Twice
	case len(list) == 0:
		list = []value{{}}
	}
	if l.bare {
		return l.there(list[0])
	}
	unknown := false
	for _, w := range l.is {
		switch err := w.matches(r, l.at, list[0]); err { //nolint:errorlint // our own, never wrapped
		case nil:
			return nil
		case needsBody:
			unknown = true
		}
	}
	if unknown {
		return needsBody
	}
	return NotAdmitted
}

func (l *line) there(v value) error {
	if v.kind == absent || v.kind == null || v.text == "" || v.kind == truth && v.text == "false" {
		return NotAdmitted
	}
	return nil
}

// matches compares. What stands in a header, query or form has no type, so a
// number there is its digits; a JSON number is no text.
func (w want) matches(r *reading, at *Place, v value) error {
	typed := at.Pointer != nil || at.Claim != ""
	switch {
	case w.kind == null && (v.kind == null || v.kind == absent):
		return nil
	case v.kind == absent || v.kind == composite || typed && w.kind != v.kind:
		return NotAdmitted
	case w.kind == number && typed && configrule.SameNumber(w.plain, v.text), w.kind != text && w.plain == v.text:
		return nil
	case w.kind != text:
		return NotAdmitted
	}
	wanted, err := w.text.text(r)
	if err != nil {
		return err
	}
	return w.compare(wanted, v.text)
}

// compare takes the same time wherever two texts of one length differ: a line may hold a secret.
func (w want) compare(wanted, got string) error {
	ok := false
	switch {
	case w.front && w.back:
		ok = strings.Contains(got, wanted)
	case w.front:
		ok = strings.HasSuffix(got, wanted)
	case w.back:
		ok = strings.HasPrefix(got, wanted)
	default:
		ok = subtle.ConstantTimeCompare([]byte(wanted), []byte(got)) == 1
	}
	if !ok {
		return NotAdmitted
	}
	return nil
}

// newWant compiles one value of Is.
func newWant(is any) (want, error) {
	switch is := is.(type) {
	case nil:
		return want{kind: null}, nil
	case bool:
		return want{kind: truth, plain: strconv.FormatBool(is)}, nil
	case string:
		w := want{kind: text}
		if len(is) > 1 {
			is, w.front = cut(is, strings.CutPrefix)
			is, w.back = cut(is, strings.CutSuffix)
		}
		var err error
		w.text, err = parseTemplate(is)
		return w, err
	}
	return want{kind: number, plain: fmt.Sprint(is)}, nil
}

func cut(s string, by func(s, affix string) (string, bool)) (string, bool) { return by(s, "*") }
