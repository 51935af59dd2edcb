package trial

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
)

// hints tells, where the mapping of x did not fit an answer, which places in it look
// like what a mapping takes, and the YAML that would take them. It guesses by names and
// forms; it knows no API.
func (t *Trial) hints(x *signin.Exchange, a *mapping.Response) {
	g := &guesses{}
	g.walk(nil, a.Body)
	g.outside(a)
	if a.Status < 400 {
		t.guessed("an access token", g.access)
		t.guessed("a refresh token", g.refresh)
		t.guessed("an expiry", g.ends)
		t.guessed("the person", g.people)
	}
	t.guessed("a second factor", g.factors)
	t.guessed("the reason", g.errors)
	lines := g.yaml(a, x.Rules.RejectedMeans)
	if len(lines) == 0 {
		t.line("? nothing in it looks like a token, an expiry, a person or an error code")
		return
	}
	t.line("? worth trying, in %s:", x.Key)
	deep := strings.Repeat("  ", 1+strings.Count(x.Key, ".")) // as it is pasted below x.Key
	for _, line := range lines {
		t.line("%s%s", deep, line)
	}
}

// guesses are places that look like something, the likeliest first.
type guesses struct {
	access, refresh, ends, people []guess
	errors, factors               []guess
}

type guess struct {
	place, extra string // extra: what else the YAML says
	weight       int
	name         string // of an end
	text         string // of an error
}

func (t *Trial) guessed(what string, list []guess) {
	sortGuesses(list)
	for i, g := range list {
		if i == 3 {
			return
		}
		t.line("? looks like %s: %s", what, g.place)
	}
}

func sortGuesses(list []guess) {
	slices.SortStableFunc(list, func(a, b guess) int { return b.weight - a.weight })
}

// walk looks at every place of a body.
func (g *guesses) walk(path []string, v any) {
	key := ""
	if len(path) > 0 {
		key = path[len(path)-1]
	}
	if len(path) > shownDepth || isOpaque(key) {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		g.person(path, key, v)
		for _, name := range slices.Sorted(maps.Keys(v)) {
			g.walk(append(path[:len(path):len(path)], name), v[name])
		}
	case []any:
		for i := range min(len(v), 3) {
			g.walk(append(path[:len(path):len(path)], strconv.Itoa(i)), v[i])
		}
	default:
		g.leaf(quoted(mapping.Pointer(path...)), key, v)
	}
}

// quoted writes the place of a body so that YAML reads it, also between braces.
func quoted(p string) string {
	if p == "" || strings.ContainsAny(p, " :#{}[],\"'*&") {
		return string(mapping.Encode(p))
	}
	return p
}

// outside looks at headers and cookies.
func (g *guesses) outside(a *mapping.Response) {
	for _, name := range slices.Sorted(maps.Keys(a.Header)) {
		switch {
		case name == "Set-Cookie":
			for _, line := range a.Header[name] {
				if c, err := http.ParseSetCookie(line); err == nil && !isOpaque(c.Name) {
					g.leaf("{cookie: "+c.Name+"}", c.Name, c.Value)
				}
			}
		case isSecretKey(name) || isEndKey(name) || strings.Contains(strings.ToLower(name), "error"):
			g.leaf("{header: "+name+"}", name, a.Header.Get(name))
		}
	}
}

// leaf guesses what one value is.
func (g *guesses) leaf(place, key string, v any) {
	low := strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(key))
	text, isText := v.(string)
	switch {
	case wantsFactor(low):
		if !mapping.IsEmpty(v) {
			g.factors = append(g.factors, guess{place: place, weight: len(text), name: key})
		}
	case isEndKey(low) && !strings.Contains(low, "refresh"):
		g.end(place, v)
	case !isText || low == "tokentype" || strings.Contains(low, "csrf") || strings.Contains(low, "xsrf"):
	case mapping.IsCredentialText([]byte(text)) && len(text) >= 8 && strings.Contains(low, "refresh"):
		g.refresh = append(g.refresh, guess{place: place, weight: 9})
	case mapping.IsCredentialText([]byte(text)) && len(text) >= 8 && weightOf(low, text) > 0:
		g.access = append(g.access, guess{place: place, weight: weightOf(low, text)})
	default:
		g.wrong(place, low, text)
	}
}

// wantsFactor tells names under which an API says that it requires a second factor.
func wantsFactor(key string) bool {
	return slices.ContainsFunc([]string{"mfa", "otp", "2fa", "twofactor", "challenge"}, func(part string) bool { return strings.Contains(key, part) })
}

// weightOf says how much a value looks like an access token.
func weightOf(key, text string) (weight int) {
	for part, w := range map[string]int{"accesstoken": 9, "idtoken": 6, "jwt": 7, "bearer": 6, "token": 5, "sessionid": 4, "sessid": 4, "sid": 2, "key": 2, "authorization": 5} {
		if strings.Contains(key, part) {
			weight = max(weight, w)
		}
	}
	if _, isJWT := mapping.Claims(text); isJWT {
		weight += 5
	}
	if key == "" && len(text) >= 16 {
		weight = 3 // the whole body is one token
	}
	return weight
}

// end guesses the unit of an end.
func (g *guesses) end(place string, v any) {
	e := guess{place: place, name: "expires_in", weight: 1}
	if text, ok := v.(string); ok {
		if _, err := time.Parse(time.RFC3339, text); err == nil {
			e.name = "expires_at"
			g.ends = append(g.ends, e)
			return
		}
	}
	n, err := mapping.Number(v)
	switch {
	case err != nil || n <= 0:
		return
	case n > 1e11:
		e.name, e.extra = "expires_at", "ms"
	case n > 1e9:
		e.name = "expires_at"
	case n >= 300000 && n == float64(int64(n/1000))*1000:
		e.extra = "ms" // more likely 5 minutes than 3 days
	}
	g.ends = append(g.ends, e)
}

// person guesses whether an object describes somebody.
func (g *guesses) person(path []string, key string, v map[string]any) {
	weight := 0
	for name := range v {
		switch strings.ToLower(name) {
		case "email", "username":
			weight += 3
		case "id", "_id", "sub", "uid", "pk", "uuid", "name":
			weight++
		}
	}
	switch strings.ToLower(key) {
	case "user", "account", "profile", "me", "record", "member", "customer":
		weight += 3
	}
	if weight < 3 {
		return
	}
	found := guess{place: quoted(mapping.Pointer(path...)), weight: weight}
	for _, name := range []string{"id", "_id", "sub", "uid", "uuid", "pk", "username", "email"} {
		if _, ok := v[name]; ok {
			found.extra = "/" + name
			break
		}
	}
	g.people = append(g.people, found)
}

// wrong guesses whether text says what went wrong.
func (g *guesses) wrong(place, key, text string) {
	if text == "" || !isWords(text) || isSecretKey(key) {
		return
	}
	for part, w := range map[string]int{"errorcode": 9, "code": 7, "error": 6, "detail": 3, "message": 2, "type": 2, "reason": 4, "status": 1} {
		if strings.HasSuffix(key, part) {
			if !strings.Contains(text, " ") {
				w += 3
			}
			g.errors = append(g.errors, guess{place: place, weight: w, text: text})
			return
		}
	}
}
