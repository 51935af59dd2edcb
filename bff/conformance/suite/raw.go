package suite

import (
	"net/url"
	"strings"
	"time"

	"coatcheck/bff/conformance/world"
)

// Bearing are the calls with a mark that brought somebody's token.
func (t *T) Bearing(mark string) (found []world.Call) {
	for _, c := range t.W.API.Calls(mark) {
		if t.W.Owner(t.S.Token(c)) != "" {
			found = append(found, c)
		}
	}
	return found
}

// Raw sends a head as it stands to the subject. {host} is the frontend's host, {cookie}
// the person's session, {honest} what its own pages send, {api} the prefix. Lines are
// separated by CRLF.
func (t *T) Raw(tab *Tab, text string) *world.Wire {
	return world.Raw(t.S.Address, t.Fill(tab, text), 20*time.Second, t.S.linger())
}

// First is Raw for a case that only the first answer decides.
func (tab *Tab) First(text string) *world.Wire {
	return world.Raw(tab.t.S.Address, tab.t.Fill(tab, text), 20*time.Second, time.Millisecond)
}

// Control makes sure, once for a subject, that raw requests get through at all, so that
// a refusal later is one of what is wrong with the request.
func (t *T) Control(tab *Tab) {
	if t.S.seen.controlled {
		return
	}
	for _, method := range []string{"GET", "POST"} {
		mark := t.W.Mark()
		text := method + " {api}" + mark + " HTTP/1.1\n{host}\n{cookie}\n{honest}\nContent-Type: text/plain\nContent-Length: 0\nConnection: close\n\n"
		if w := t.Raw(tab, text); len(t.Bearing(mark)) == 0 {
			t.Stuck("a plain %s by hand is answered with %d and does not reach the API", method, w.Status())
		}
	}
	t.S.seen.controlled = true
}

// linger is how long further answers are waited for. The toy always ends its connections.
func (s *Subject) linger() time.Duration {
	if s.Toy {
		return 20 * time.Second
	}
	return 1500 * time.Millisecond
}

// Fill puts the values into a raw request.
func (t *T) Fill(tab *Tab, text string) string {
	u, _ := url.Parse(tab.F.Base)
	host := "Host: " + u.Host
	if tab.F.Origin != tab.F.Base && !strings.Contains(text, "Origin:") {
		host += "\r\nOrigin: " + tab.F.Origin // a shared host knows frontends by it
	}
	lines := []string{}
	for name, values := range t.S.Edge {
		lines = append(lines, name+": "+values[0])
	}
	edge := strings.Join(lines, "\r\n")
	if strings.Contains(text, "{honest}") {
		method, _, _ := strings.Cut(strings.TrimSpace(text), " ")
		for name, value := range tab.honest(method) {
			lines = append(lines, name+": "+value)
		}
	}
	honest := strings.Join(lines, "\r\n")
	text = strings.ReplaceAll(text, "\n", "\r\n")
	text = strings.ReplaceAll(text, "\r\r\n", "\r\n")
	for name, value := range map[string]string{"{edge}\r\n": edge, "{honest}\r\n": honest} {
		if value != "" {
			value += "\r\n"
		}
		text = strings.ReplaceAll(text, name, value)
	}
	text = strings.NewReplacer("{host}", host, "{cookie}", "Cookie: "+tab.Cookie(), "{honest}", honest, "{edge}", edge, "{api}", tab.F.API,
		"{LF}", "\n", "{CR}", "\r").Replace(text)
	return strings.ReplaceAll(text, "\r\n\r\n\r\n", "\r\n\r\n")
}

// Wired sends one request with the person's session, further header lines and a body,
// and returns what came and what the API saw of it.
func (t *T) Wired(tab *Tab, method, target, lines string) (*world.Wire, []world.Call) {
	before := t.W.API.Count()
	text := method + " " + target + " HTTP/1.1\n{host}\n{cookie}\n"
	if all := strings.TrimSpace(t.Fill(tab, "{honest}")); all != "" {
		text += "{honest}\n"
	}
	if lines != "" {
		text += lines + "\n"
	}
	w := t.Raw(tab, text+"Connection: close\n\n")
	return w, t.W.API.Since(before)
}
