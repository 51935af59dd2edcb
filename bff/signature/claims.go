package signature

import (
	"errors"
	"strconv"
	"strings"
)

// maxItems bounds how many items of a claim that is a list are looked at.
const maxItems = 256

// Claims are compiled lines that must all hold for the claims of a token that somebody
// else has verified. It is safe for concurrent use and never changes.
type Claims struct{ lines []*line }

// CompileClaims compiles lines. Their places are claims, by name or by a pointer into the
// claims, and what stands there is held against constants.
func CompileClaims(lines []Line) (*Claims, []Fault) {
	f, c := &faults{rule: -1, handshake: -1}, &Claims{}
	for i := range lines {
		l, path := lines[i], index("admit", i)
		if l.At != nil && l.At.Pointer != nil {
			at := *l.At
			at.Claim, at.Pointer = *at.Pointer, nil
			l.At = &at
		}
		compiled := compileLine(path, &l, nil, f, true, false)
		for _, w := range compiled.is {
			if len(w.text.names()) > 0 {
				f.refuse(path+".is", "a claim is held against constants; a plain { is written {{", "")
			}
		}
		c.lines = append(c.lines, compiled)
	}
	return c, f.list
}

// Admit holds the lines against claims, a JSON object. Of a claim that is a list it is
// enough that one item fits. It returns [NotAdmitted], or what is wrong with the claims.
func (c *Claims) Admit(claims []byte) error {
	for _, l := range c.lines {
		if err := l.holdsFor(claims); err != nil {
			return err
		}
	}
	return nil
}

func (l *line) holdsFor(claims []byte) error {
	r := &reading{claims: claims}
	err := l.holds(r)
	if err == nil || !errors.Is(err, NotAdmitted) {
		return err
	}
	item := *l
	for i := range maxItems {
		at := Place{Claim: pointerOf(l.at.Claim) + "/" + strconv.Itoa(i)}
		item.at = &at
		if found, err := r.claim(at.Claim); err != nil || len(found) == 0 {
			return NotAdmitted // no list, or its end
		}
		if item.holds(r) == nil {
			return nil
		}
	}
	return NotAdmitted
}

// pointerOf is a claim as a pointer (RFC 6901).
func pointerOf(claim string) string {
	if strings.HasPrefix(claim, "/") {
		return claim
	}
	return "/" + strings.ReplaceAll(strings.ReplaceAll(claim, "~", "~0"), "/", "~1")
}
