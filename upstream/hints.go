package upstream

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// hints tells, where a mapping did not fit an answer, which places in it look like
// what a mapping takes, and the YAML that would take them. It guesses by names and
// forms; it knows no API. dead is what a refusal means there.
func (t *trace) hints(a *answer, dead string) {
	g := &guesses{at: a.at}
	g.walk(nil, a.doc)
	g.outside(a)
	if a.status < 400 {
		t.guessed("an access token", g.access)
		t.guessed("a refresh token", g.refresh)
		t.guessed("an end", g.ends)
		t.guessed("the person", g.people)
	}
	t.guessed("what went wrong", g.errors)
	lines := g.yaml(a, dead)
	if len(lines) == 0 {
		t.line("? nothing in it looks like a token, an end, a person or an error's code")
		return
	}
	t.line("? worth trying:")
	for _, line := range lines {
		t.line("    %s", line)
	}
}

// guesses are places that look like something, the likeliest first.
type guesses struct {
	at                            time.Time
	access, refresh, ends, people []guess
	errors                        []guess
}

type guess struct {
	place, extra string // extra: what else the YAML says
	weight       int
	name         string // of an end
	text         string // of an error
}

func (t *trace) guessed(what string, list []guess) {
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
		g.leaf(quoted(pointer(path)), key, v)
	}
}

// quoted writes the place of a whole body so that YAML reads it.
func quoted(p string) string {
	if p == "" {
		return `""`
	}
	return p
}

// outside looks at headers and cookies.
func (g *guesses) outside(a *answer) {
	for _, name := range slices.Sorted(maps.Keys(a.header)) {
		switch {
		case name == "Set-Cookie":
			for _, line := range a.header[name] {
				if c, err := http.ParseSetCookie(line); err == nil && !isOpaque(c.Name) {
					g.leaf("{cookie: "+c.Name+"}", c.Name, c.Value)
				}
			}
		case isSecretKey(name) || isEndKey(name) || strings.Contains(strings.ToLower(name), "error"):
			g.leaf("{header: "+name+"}", name, a.header.Get(name))
		}
	}
}

// leaf guesses what one value is.
func (g *guesses) leaf(place, key string, v any) {
	low := strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(key))
	text, isText := v.(string)
	switch {
	case isEndKey(low) && !strings.Contains(low, "refresh"):
		g.end(place, v)
	case !isText || low == "tokentype" || strings.Contains(low, "csrf") || strings.Contains(low, "xsrf"):
	case isToken([]byte(text)) && len(text) >= 8 && strings.Contains(low, "refresh"):
		g.refresh = append(g.refresh, guess{place: place, weight: 9})
	case isToken([]byte(text)) && len(text) >= 8 && weightOf(low, text) > 0:
		g.access = append(g.access, guess{place: place, weight: weightOf(low, text)})
	default:
		g.wrong(place, low, text)
	}
}

// weightOf says how much a value looks like an access token.
func weightOf(key, text string) (weight int) {
	for part, w := range map[string]int{"accesstoken": 9, "idtoken": 6, "jwt": 7, "bearer": 6, "token": 5, "sessionid": 4, "sessid": 4, "sid": 2, "key": 2, "authorization": 5} {
		if strings.Contains(key, part) {
			weight = max(weight, w)
		}
	}
	if _, isJWT := claims(text); isJWT {
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
	n, err := decimal(v)
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
	found := guess{place: quoted(pointer(path)), weight: weight}
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

// yaml is the mapping that the guesses make.
func (g *guesses) yaml(a *answer, dead string) (lines []string) {
	for _, list := range [][]guess{g.access, g.refresh, g.ends, g.people, g.errors} {
		sortGuesses(list)
	}
	if a.status >= 400 {
		if len(g.errors) > 0 {
			e := g.errors[0]
			lines = append(lines, fmt.Sprintf("answers: [{status: %d, at: %s, is: %s, means: %s}]   # or another of the meanings", a.status, e.place, encode(e.text), dead))
		}
		return append(lines, fmt.Sprintf("rejected: [%d]   # if every %d means %s", a.status, a.status, dead))
	}
	var parts []string
	if len(g.access) > 0 {
		parts = append(parts, "access_token: "+g.access[0].place)
	}
	if len(g.refresh) > 0 {
		parts = append(parts, "refresh_token: "+g.refresh[0].place)
	}
	if len(g.ends) > 0 {
		parts = append(parts, g.ends[0].name+": "+g.ends[0].written())
	}
	if len(parts) > 0 {
		lines = append(lines, "credential: {"+strings.Join(parts, ", ")+"}")
	}
	if len(g.people) > 0 {
		who := "user: {from: response, at: " + g.people[0].place
		if g.people[0].extra != "" && g.people[0].extra != "/id" {
			who += ", subject: " + g.people[0].extra
		}
		lines = append(lines, who+"}")
	}
	return lines
}

// written is an end's place with its unit.
func (g guess) written() string {
	if g.extra == "" {
		return g.place
	}
	if strings.HasPrefix(g.place, "{") {
		return strings.TrimSuffix(g.place, "}") + ", unit: " + g.extra + "}"
	}
	return "{at: " + g.place + ", unit: " + g.extra + "}"
}
