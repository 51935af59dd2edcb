package server_test

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/rig"
)

// sending is the usual house whose API wants the person carried by send.
func sending(send string) settings {
	return settings{edit: func(yaml string) string {
		return replaced(yaml, `    url: "${API}"`+"\n", `    url: "${API}"`+"\n    send: "+send+"\n")
	}}
}

// TestTokenInTheQuery: what send puts into the query takes the place of the page's own,
// however the page spells it; the rest goes on byte for byte, and no answer shows it.
func TestTokenInTheQuery(t *testing.T) {
	h := open(t, sending(`{query: {wstoken: "{access_token}", format: json}}`))
	cookie := h.signIn("ada@x.test")
	if first := h.api.Calls()[0]; first.URI != "/auth/login?format=json" {
		t.Errorf("the sign-in went to %s", first.URI)
	}
	const token = "wstoken=" + rig.TokenMark + "1"
	for sent, want := range map[string]string{
		"":           "?format=json&" + token,
		"?":          "?format=json&" + token,
		"?a=1&b=%41": "?a=1&b=%41&format=json&" + token,
		"?wstoken=mine&a=1&WSTOKEN=mine&%77stoken=mine&wstoken[]=mine&wstoken[a]=b&+wstoken=mine": "?a=1&format=json&" + token,
		"?a=1;wstoken=mine;b=2":                    "?a=1;b=2&format=json&" + token,
		"?wstoken&wstoken=&xwstoken=kept":          "?xwstoken=kept&format=json&" + token,
		"?wstoken%00=mine&%20wstoken%5b%5d=mine&a": "?a&format=json&" + token,
	} {
		got := h.call("GET /api/x"+sent, cookie, sameOrign)
		h.want(got, 200, "")
		if in := h.api.Last(t); in.URI != "/api/x"+want || in.Header["Authorization"] != nil {
			t.Errorf("%s arrived as %s, %q", sent, in.URI, in.Header["Authorization"])
		}
	}
	writeAt(h.api, "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: X-Debug, X-Sum\r\n\r\n0\r\nX-Debug: "+token+"\r\nX-Sum: 7\r\n\r\n")
	if got := h.call("GET /api/x", cookie, sameOrign); got.Trailer.Get("X-Sum") != "7" || got.Trailer.Get("X-Debug") != "" {
		t.Errorf("behind the body: %q", got.Trailer)
	}
	h.api.Say(nil)
	h.call("GET /maybe/x?wstoken=mine")
	if in := h.api.Last(t); in.URI != "/maybe/x?format=json" {
		t.Errorf("nobody's call arrived as %s", in.URI)
	}
	if strings.Contains(h.logs.String(), rig.TokenMark) {
		t.Error("the token stands in the log")
	}
}

// TestMoodle: an API that takes its token in the query and answers 200 to everything.
func TestMoodle(t *testing.T) {
	h := open(t, settings{edit: func(yaml string) string {
		from, to := strings.Index(yaml, "    login:\n"), strings.Index(yaml, "  other:")
		return yaml[:from] + `    send: {query: {wstoken: "{access_token}", moodlewsrestformat: json}}
    login:
      request: {path: /login/token.php, encoding: form, query: {service: moodle_mobile_app}, body: {username: "{email}", password: "{password}"}}
      answers: [{at: /errorcode, is: invalidlogin, means: invalid_credentials}]
      credential: {access_token: /token}
      user: {from: request, path: /webservice/rest/server.php, subject: /userid}
` + strings.ReplaceAll(yaml[to:], "expose: [id, email]", "expose: [userid]")
	}})
	h.api.Say(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/login/token.php" && r.PostFormValue("password") == rig.PasswordMark:
			_, _ = io.WriteString(w, `{"token":"`+rig.TokenMark+`0"}`)
		case r.URL.Path == "/login/token.php":
			_, _ = io.WriteString(w, `{"error":"no","errorcode":"invalidlogin"}`)
		case r.URL.Query().Get("wstoken") == rig.TokenMark+"0":
			_, _ = io.WriteString(w, `{"userid":7}`)
		default:
			_, _ = io.WriteString(w, `{"errorcode":"invalidtoken"}`)
		}
	})
	h.want(h.call("POST /bff/login\n\n"+loginBody("ada", "wrong"), shop, xcsrf, json_), 401, "invalid_credentials")
	cookie := h.signIn("ada")
	if in := h.api.Calls()[1]; in.URI != "/login/token.php?moodlewsrestformat=json&service=moodle_mobile_app" {
		t.Errorf("the sign-in went to %s", in.URI)
	}
	got := h.call("GET /root/webservice/rest/server.php?wsfunction=x&wstoken=mine", cookie, sameOrign)
	if got.body != `{"userid":7}` {
		t.Errorf("the call: %d %s", got.StatusCode, got.body)
	}
}

// TestAnswersDoNotShowWhatIsSent: an API that links to its next page repeats its own
// parameters, and may say a cookie back.
func TestAnswersDoNotShowWhatIsSent(t *testing.T) {
	h := open(t, sending(`{query: {wstoken: "{access_token}"}, cookie: {sid: "{refresh_token}"}}`))
	cookie := h.signIn("ada@x.test")
	h.api.Say(func(w http.ResponseWriter, r *http.Request) {
		token, sid := r.URL.Query().Get("wstoken"), strings.TrimPrefix(r.Header.Get("Cookie"), "sid=")
		own := h.api.URL
		w.Header().Set("Location", own+"/api/y?page=2&wstoken="+token+"#end")
		w.Header().Set("Content-Location", "https://elsewhere.example/?WSToken="+token)
		w.Header().Set("Link", "</api/x?wstoken="+token+"&page=3>; rel=next, <"+own+"/api/x?wstoken="+token+">; rel=first")
		w.Header().Set("X-Debug", "called with "+token)
		w.Header().Set("X-Sid", sid)
		w.Header().Set("X-Kept", "plain")
		w.WriteHeader(201)
	})
	got := h.call("GET /api/x", cookie, sameOrign)
	want := map[string]string{"Location": "/api/y?page=2#end", "Content-Location": "https://elsewhere.example/", "Link": "</api/x?page=3>; rel=next, </api/x>; rel=first",
		"X-Debug": "", "X-Sid": "", "X-Kept": "plain"}
	for name, value := range want {
		if got.Header.Get(name) != value {
			t.Errorf("%s: %q, want %q", name, got.Header.Get(name), value)
		}
	}
	for name, values := range got.Header {
		if all := strings.Join(values, " "); strings.Contains(all, rig.TokenMark) || strings.Contains(all, rig.RefreshMark) {
			t.Errorf("%s shows %s", name, all)
		}
	}
}

// TestTokenInACookie: the API gets its own cookies in one line, and none of the browser's.
func TestTokenInACookie(t *testing.T) {
	h := open(t, sending(`{cookie: {sid: "{access_token}", lang: en}}`))
	cookie := h.signIn("ada@x.test")
	h.call("GET /api/x", cookie+"; sid=mine; other=1", sameOrign)
	if in := h.api.Last(t); len(in.Header["Cookie"]) != 1 || in.Header.Get("Cookie") != "lang=en; sid="+rig.TokenMark+"1" || in.Header["Authorization"] != nil {
		t.Errorf("arrived: %q %q", in.Header["Cookie"], in.Header["Authorization"])
	}
	h.call("GET /maybe/x", "Cookie: sid=mine")
	if in := h.api.Last(t); in.Header.Get("Cookie") != "lang=en" {
		t.Errorf("nobody's call: %q", in.Header["Cookie"])
	}
	h.call("POST /bff/logout", cookie, shop, xcsrf)
	if in := toldOfSignOut(t, h.api); in.Header.Get("Cookie") != "lang=en; sid="+rig.TokenMark+"1" {
		t.Errorf("the sign-out: %q", in.Header["Cookie"])
	}
}

// upgraded reads the answer to a handshake with more headers.
func (h *house) upgraded(cookie, more string) (net.Conn, *bufio.Reader, *http.Response) {
	h.t.Helper()
	c, err := net.Dial("tcp", h.address)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	_, _ = io.WriteString(c, strings.TrimSuffix(handshake(cookie, "Upgrade"), "\r\n")+more+"\r\n")
	in := bufio.NewReader(c)
	got, err := http.ReadResponse(in, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return c, in, got
}

// chooses makes the API accept a WebSocket with a protocol, if one is named, and more lines.
func chooses(a *rig.API, protocol, more string, f func(c net.Conn)) {
	a.Say(func(w http.ResponseWriter, r *http.Request) {
		c, b, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		if protocol != "" {
			more += "Sec-WebSocket-Protocol: " + protocol + "\r\n"
		}
		_, _ = b.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: " + base64.StdEncoding.EncodeToString(sum[:]) + "\r\n" + more + "\r\n")
		_ = b.Flush()
		f(c)
	})
}

// TestTokenAmongProtocols: the token is offered behind what the page offers, and the page
// hears of its own protocols only.
func TestTokenAmongProtocols(t *testing.T) {
	const token = rig.TokenMark + "1"
	for name, row := range map[string]struct {
		send, offered, arrives, chosen string
		status                         int
		told                           string
	}{
		"page's":           {"bearer, {access_token}", "chat, v2", "chat, v2, bearer, " + token, "v2", 101, "v2"},
		"none chosen":      {"bearer, {access_token}", "chat", "chat, bearer, " + token, "", 101, ""},
		"none offered":     {"bearer, {access_token}", "", "bearer, " + token, "bearer", 101, ""},
		"the token itself": {"bearer, {access_token}", "", "bearer, " + token, token, 101, ""},
		"ours for theirs":  {"bearer, {access_token}", "chat", "chat, bearer, " + token, "bearer", 502, ""},
		"marker offered":   {"bearer, {access_token}", "Bearer, mine, chat", "mine, chat, bearer, " + token, "Bearer", 101, "Bearer"},
		"one with prefix":  {"base64url.bearer.{access_token}", "base64url.bearer.mine, v4", "v4, base64url.bearer." + token, "v4", 101, "v4"},
		"neither's":        {"bearer, {access_token}", "chat", "chat, bearer, " + token, "other", 502, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, sending(`{headers: {Sec-WebSocket-Protocol: "`+row.send+`"}}`))
			cookie := h.signIn("ada@x.test")
			chooses(h.api, row.chosen, "", func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
			offer := ""
			if row.offered != "" {
				offer = "Sec-WebSocket-Protocol: " + row.offered + "\r\n"
			}
			_, _, got := h.upgraded(cookie, offer)
			in := h.api.Last(t)
			if arrives := in.Header["Sec-Websocket-Protocol"]; len(arrives) != 1 || arrives[0] != row.arrives {
				t.Errorf("arrives %q, want %q", arrives, row.arrives)
			}
			if got.StatusCode != row.status || got.Header.Get("Sec-WebSocket-Protocol") != row.told {
				t.Errorf("answer %d %q", got.StatusCode, got.Header["Sec-Websocket-Protocol"])
			}
		})
	}
	h := open(t, sending(`{headers: {Sec-WebSocket-Protocol: "bearer, {access_token}"}}`))
	h.call("GET /api/x", h.signIn("ada@x.test"), sameOrign)
	if in := h.api.Last(t); in.Header["Sec-Websocket-Protocol"] != nil {
		t.Error("a call that opens no WebSocket carries protocols")
	}
}

// frame is one frame as a browser writes it.
func frame(first byte, payload string) string {
	mask := []byte{0xde, 0xad, 0xbe, 0xef}
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	b = append(b, mask...)
	for i := range len(payload) {
		b = append(b, payload[i]^mask[i%4])
	}
	return string(b)
}

// unframe reads one masked frame.
func unframe(in *bufio.Reader) (first byte, payload string, err error) {
	head := make([]byte, 2)
	if _, err = io.ReadFull(in, head); err != nil {
		return
	}
	n := uint64(head[1] & 0x7f)
	if n >= 126 {
		more := make([]byte, map[uint64]int{126: 2, 127: 8}[n])
		if _, err = io.ReadFull(in, more); err != nil {
			return
		}
		n = new(bigEndian).of(more)
	}
	if head[1]&0x80 == 0 {
		return 0, "", io.ErrUnexpectedEOF
	}
	b := make([]byte, 4+n)
	if _, err = io.ReadFull(in, b); err != nil {
		return
	}
	for i := range b[4:] {
		b[4+i] ^= b[i%4]
	}
	return head[0], string(b[4:]), nil
}

type bigEndian struct{}

func (bigEndian) of(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

// TestTokenInTheFirstMessage: connection_init and its kind get the person, whatever the
// page put there and however it is cut into frames; what follows passes as it is.
func TestTokenInTheFirstMessage(t *testing.T) {
	const send = `{headers: {Authorization: "Bearer {access_token}"}, socket: {json: {payload: {Authorization: "Bearer {access_token}", v: 2}}}}`
	const ours = `"Authorization":"Bearer ` + rig.TokenMark + `1"`
	long := strings.Repeat("x", 60000)
	for name, row := range map[string]struct{ sent, want string }{
		"empty":      {frame(0x81, `{"type":"connection_init"}`), `{"payload":{` + ours + `,"v":2},"type":"connection_init"}`},
		"overridden": {frame(0x81, `{"type":"connection_init","payload":{"authorization":"Bearer mine","Authorization":"x","keep":1.50}}`), `{"payload":{` + ours + `,"keep":1.50,"v":2},"type":"connection_init"}`},
		"no object":  {frame(0x81, `{"payload":"mine","Payload":{"Authorization":"mine"}}`), `{"payload":{` + ours + `,"v":2}}`},
		"fragments":  {frame(0x01, `{"type":"conn`) + frame(0x89, "ping") + frame(0x00, `ection_init"`) + frame(0x80, `}`), `{"payload":{` + ours + `,"v":2},"type":"connection_init"}`},
		"ping first": {frame(0x89, "") + frame(0x81, `{}`), `{"payload":{` + ours + `,"v":2}}`},
		"long":       {frame(0x81, `{"x":"`+long+`"}`), `{"payload":{` + ours + `,"v":2},"x":"` + long + `"}`},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, sending(send))
			cookie := h.signIn("ada@x.test")
			came := make(chan string, 8)
			chooses(h.api, "graphql-transport-ws", "", func(c net.Conn) {
				defer close(came)
				in := bufio.NewReader(c)
				for {
					first, text, err := unframe(in)
					if err != nil {
						return
					}
					if first&0x0f == 0x1 {
						came <- text
					}
				}
			})
			c, _, got := h.upgraded(cookie, "Sec-WebSocket-Protocol: graphql-transport-ws\r\nSec-WebSocket-Extensions: permessage-deflate\r\n")
			if got.StatusCode != 101 || h.api.Last(t).Header["Sec-Websocket-Extensions"] != nil {
				t.Fatalf("%d, extensions %q", got.StatusCode, h.api.Last(t).Header["Sec-Websocket-Extensions"])
			}
			// byte by byte, so that no boundary is a read's
			whole := row.sent + frame(0x81, `{"id":"1"}`)
			for i := 0; i < len(whole); i += max(1, len(whole)/97) {
				_, _ = io.WriteString(c, whole[i:min(len(whole), i+max(1, len(whole)/97))])
			}
			if first, second := <-came, <-came; first != row.want || second != `{"id":"1"}` {
				t.Errorf("arrived %.200q, then %q", first, second)
			}
		})
	}
}

// TestFirstMessageThatCannotCarry: the WebSocket ends, and nothing of the message goes on.
func TestFirstMessageThatCannotCarry(t *testing.T) {
	for name, row := range map[string]struct {
		sent string
		code int
	}{
		"binary":       {frame(0x82, `{}`), 1003},
		"not JSON":     {frame(0x81, `hello`), 1007},
		"a list":       {frame(0x81, `[{}]`), 1007},
		"two values":   {frame(0x81, `{}{}`), 1007},
		"not UTF-8":    {frame(0x81, "{\"x\":\"\xff\"}"), 1007},
		"cut UTF-8":    {frame(0x01, "{\"x\":\"\xc3") + frame(0x80, `"}`), 1007},
		"too long":     {frame(0x81, `{"x":"`+strings.Repeat("x", 70000)+`"}`), 1009},
		"in parts":     {frame(0x01, `{"x":"`+strings.Repeat("x", 40000)) + frame(0x80, strings.Repeat("x", 40000)+`"}`), 1009},
		"compressed":   {frame(0xc1, `{}`), 1002},
		"unmasked":     {"\x81\x02{}", 1002},
		"continuation": {frame(0x80, `{}`), 1002},
		"text in text": {frame(0x01, `{`) + frame(0x81, `}`), 1002},
		"huge length":  {"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", 1009},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func() (late bool, fault string) {
				h := open(t, sending(`{socket: {json: {payload: {token: "{access_token}"}}}}`))
				cookie := h.signIn("ada@x.test")
				arrived := make(chan []byte, 1)
				chooses(h.api, "", "", func(c net.Conn) {
					all, _ := io.ReadAll(c)
					arrived <- all
				})
				c, in, _ := h.upgraded(cookie, "")
				begun := time.Now()
				_, _ = io.WriteString(c, row.sent)
				end := make([]byte, 4)
				_, err := io.ReadFull(in, end)
				if err != nil || !bytes.Equal(end, []byte{0x88, 2, byte(row.code >> 8), byte(row.code)}) {
					fault = fmt.Sprintf("the page was told % x, %v; want %d", end, err, row.code)
				}
				late = time.Since(begun) >= closePatience && !errors.Is(err, os.ErrDeadlineExceeded)
				_ = c.Close()
				if all := <-arrived; len(all) > 0 {
					t.Errorf("the API got %q", all)
				}
				return late, fault
			})
		})
	}
	h := open(t, sending(`{socket: {json: {payload: {token: "{access_token}"}}}}`))
	cookie := h.signIn("ada@x.test")
	chooses(h.api, "", "Sec-WebSocket-Extensions: permessage-deflate\r\n", func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	if _, _, got := h.upgraded(cookie, ""); got.StatusCode != 502 {
		t.Errorf("an extension that nobody offered: %d", got.StatusCode)
	}
}
