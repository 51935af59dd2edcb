package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"coatcheck/bff/apikey"
	"coatcheck/bff/call"
	"coatcheck/bff/problem"
	"coatcheck/bff/signature"
)

// Explain says which program a call is of, by the code that serves, as far as it
// can be known without a store: what is said, and the answer of Coatcheck's own, nil
// where there is none. body is the whole body; nil: it is not known. Nothing that is said
// holds a key or a right signature.
func (k *Callers) Explain(c *call.Call, body []byte) (lines []string, refused *problem.Problem) {
	if k.presentsToken(c) {
		return k.explainToken(c)
	}
	var p Principal
	err := k.identify(c, &p)
	if c.Program.Key != "" {
		lines = append(lines, "the key "+c.Program.Key+" is "+c.Program.Name+"'s")
	} else if len(c.Decision.Keys) == 1 {
		lines = append(lines, "the key in "+c.Decision.Keys[0].Place+" is not one of the file's that is read there; keys made at run time are not looked at")
	}
	if errors.As(err, &refused) && refused.Code == problem.CallerNotAllowed.Code && c.Program.Name != "" {
		lines = append(lines, k.byName[c.Program.Name].refuses(c))
	}
	for _, who := range k.signers(c) {
		said, wrong := who.explain(c, body)
		lines = append(lines, said...)
		if err != nil || body == nil {
			continue
		}
		if refused = wrong; wrong == nil {
			c.Program.Name = who.name
			break // any of them is enough
		}
	}
	if len(c.Decision.Keys) == 0 && err == nil && body == nil {
		lines = append(lines, "the head could be signed; --body FILE looks at the rest")
	}
	return lines, refused
}

// presentsToken reports whether a call brings what may be a token of a provider.
func (k *Callers) presentsToken(c *call.Call) bool {
	keys := c.Decision.Keys
	if len(keys) != 1 || keys[0].Place != "bearer" || len(k.tokenNames) == 0 || strings.HasPrefix(keys[0].Value.Reveal(), apikey.Prefix) {
		return false
	}
	_, err := k.programs.Keys.Find(context.Background(), keys[0].Value)
	return err != nil
}

// explainToken says of each caller what is known of a token without its provider, which
// is never asked here.
func (k *Callers) explainToken(c *call.Call) (lines []string, refused *problem.Problem) {
	refused = problem.CallerUnknown
	for _, who := range k.tokenCallers(c) {
		of := who.config.Token
		tokens := k.tokens[of.Provider]
		if tokens == nil {
			continue
		}
		claims, err := tokens.InspectAccessToken(c.Decision.Keys[0].Value.Reveal(), of.Audiences)
		if err == nil {
			err = who.claims.Admit(claims)
		}
		if err != nil {
			lines = append(lines, who.name+": "+err.Error())
			continue
		}
		lines = append(lines, who.name+": the token says what it should; whether "+of.Provider+" signed it is not looked at here")
		c.Program.Name, refused = who.name, nil
		if why := who.refuses(c); why != "" {
			lines, refused = append(lines, who.name+": "+why), problem.CallerNotAllowed
		}
		return lines, refused
	}
	return lines, refused
}

// AccountOf is the account that the caller's calls go out with, once it is known who
// calls; empty: none.
func (k *Callers) AccountOf(c *call.Call) string {
	if who := k.byName[c.Program.Name]; who != nil {
		return who.config.Account
	}
	return ""
}

// signers are those who may have signed a call.
func (k *Callers) signers(c *call.Call) (all []*caller) {
	if len(c.Decision.Keys) > 0 {
		return nil
	}
	for _, name := range c.Route().Programs.Callers {
		if who := k.byName[name]; who.verifier != nil {
			all = append(all, who)
		}
	}
	return all
}

// explain says what each rule of a caller sees in a call.
func (w *caller) explain(c *call.Call, body []byte) (lines []string, refused *problem.Problem) {
	if why := w.refuses(c); why != "" {
		return []string{w.name + ": " + why}, problem.CallerNotAllowed
	}
	seen := signedCall(c, body)
	if body == nil {
		if _, err := w.verifier.Head(seen, time.Now()); err != nil {
			return []string{w.name + ": " + err.Error()}, problem.SignatureInvalid
		}
		return nil, nil
	}
	if reply, err := w.verifier.Handshake(seen, time.Now()); reply != nil && err == nil {
		return []string{w.name + ": a handshake, which is answered here"}, nil
	}
	refused = problem.SignatureInvalid
	for _, x := range w.verifier.Explain(seen, time.Now()) {
		said := fmt.Sprintf("%s: rule %d holds", w.name, x.Rule)
		if x.Refused != nil {
			said = w.name + ": " + x.Refused.Error()
		} else {
			refused = nil
		}
		lines = append(lines, said+signedPieces(x))
		if x.Differs != "" {
			lines = append(lines, "the proof would be right if this were otherwise: "+x.Differs)
		}
	}
	return lines, refused
}

// signedPieces is the signed text of a rule, piece by piece.
func signedPieces(x signature.Explanation) string {
	var pieces []string
	for _, p := range x.Signed {
		if p.Name != "" {
			pieces = append(pieces, fmt.Sprintf("{%s} %d bytes", p.Name, p.Length))
			continue
		}
		pieces = append(pieces, fmt.Sprintf("%q", p.Shown))
	}
	if len(pieces) == 0 {
		return ""
	}
	return "; signed: " + strings.Join(pieces, ", ")
}
