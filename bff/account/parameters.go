package account

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// parameters are those of a navigation, each once.
type parameters map[string]string

// readParameters reads a query or a form, and refuses one that names anything twice or
// cannot be read: two readers would take two different values. A parameter that is not
// in known is refused where strict, else left out.
func readParameters(raw string, strict bool, known ...string) (parameters, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, badRequest("the parameters cannot be read")
	}
	p := parameters{}
	for name, all := range values {
		switch {
		case len(all) > 1:
			return nil, badRequest("a parameter stands more than once")
		case slices.Contains(known, name):
			p[name] = all[0]
		case strict:
			return nil, badRequest("a parameter is not one of: " + strings.Join(known, ", "))
		}
	}
	return p, nil
}

// wish is what a page asks for when it sends somebody to a provider.
type wish struct {
	provider, returnTo           string
	prompt, loginHint, uiLocales string
	acr                          []string
	maxAge                       *time.Duration
}

// maxMaxAge bounds max_age: a year.
const maxMaxAge = 365 * 24 * time.Hour

// readWish reads the parameters of GET /bff/login. The list is closed, and every value
// is held to its form: they go on to the provider.
func readWish(raw string) (*wish, error) {
	p, err := readParameters(raw, true, "return_to", "returnUrl", "provider", "prompt", "max_age", "acr", "login_hint", "ui_locales", "frontend")
	if err != nil {
		return nil, err
	}
	w := &wish{provider: p["provider"], returnTo: p["return_to"], prompt: p["prompt"], loginHint: p["login_hint"], uiLocales: p["ui_locales"]}
	if other, there := p["returnUrl"]; there { // what people coming from Duende BFF write
		if _, both := p["return_to"]; both {
			return nil, badRequest("return_to and returnUrl together")
		}
		w.returnTo = other
	}
	if w.prompt != "" && !slices.Contains([]string{"none", "login", "select_account", "consent"}, w.prompt) {
		return nil, badRequest("prompt is not one of none, login, select_account, consent")
	}
	if !isText(w.loginHint, 256) || !isText(w.uiLocales, 128) || !isText(p["acr"], 512) {
		return nil, badRequest("login_hint, ui_locales or acr is too long, or has control characters")
	}
	w.acr = strings.Fields(p["acr"])
	if text, there := p["max_age"]; there {
		seconds, err := strconv.ParseUint(text, 10, 31)
		if age := time.Duration(seconds) * time.Second; err != nil || text[0] == '+' || age > maxMaxAge {
			return nil, badRequest("max_age is not a number of seconds up to a year")
		} else {
			w.maxAge = &age
		}
	}
	return w, nil
}

// isText reports whether s is short enough and has no control characters.
func isText(s string, most int) bool {
	return len(s) <= most && strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }) < 0
}
