package configs_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"hash"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/signature"
	"coatcheck/configs"
	"coatcheck/configs/read"
)

// vector is one call of a provider. Source says who published it; those that the
// test signs itself have Sign, the algorithm and encoding, and Over, what is signed.
type vector struct {
	File, Source         string
	Env                  map[string]string
	Now                  int64
	Method, Base, Target string
	Headers              map[string]string
	Body                 string
	Sign, Over           string
	Bare                 bool     // the body is not signed
	Changes              []string // what of the body is changed, where not all of it is signed
	Warnings             []string // of the vector's own short key
}

func vectors(t *testing.T) []vector {
	t.Helper()
	content, err := os.ReadFile("testdata/callers/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []vector
	if err := json.Unmarshal(content, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// pair is a key pair of these tests only.
var pair = ed25519.NewKeyFromSeed([]byte("a seed of thirty-two bytes, yes!"))

// signed fills in what the test itself signs, by the standard library alone.
func (v *vector) signed() {
	public := pair.Public().(ed25519.PublicKey)
	for name, value := range v.Env {
		value = strings.Replace(value, "{public base64}", base64.StdEncoding.EncodeToString(public), 1)
		v.Env[name] = strings.Replace(value, "{public hex}", hex.EncodeToString(public), 1)
	}
	if v.Sign == "" {
		return
	}
	sum := sha256.Sum256([]byte(v.Body))
	over := strings.NewReplacer("{body.sha256.hex}", hex.EncodeToString(sum[:]), "{body.sha256}", string(sum[:]), "{body}", v.Body).Replace(v.Over)
	proof := v.proof(over)
	v.Body = strings.Replace(v.Body, "{sign}", proof, 1)
	for name, value := range v.Headers {
		v.Headers[name] = strings.Replace(value, "{sign}", proof, 1)
	}
}

func (v *vector) proof(over string) string {
	var key string
	for _, value := range v.Env {
		key = value
	}
	mac := func(h func() hash.Hash, text string) []byte {
		m := hmac.New(h, []byte(key))
		m.Write([]byte(text))
		return m.Sum(nil)
	}
	encode := base64.StdEncoding.EncodeToString
	if strings.HasSuffix(v.Sign, "hex") {
		encode = hex.EncodeToString
	}
	switch algorithm, _, _ := strings.Cut(v.Sign, " "); algorithm {
	case "sha1":
		return encode(mac(sha1.New, over))
	case "ed25519":
		return encode(ed25519.Sign(pair, []byte(over)))
	case "jwt":
		raw := base64.RawURLEncoding.EncodeToString
		head := raw([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + raw([]byte(over))
		return head + "." + raw(mac(sha256.New, head))
	}
	return encode(mac(sha256.New, over))
}

func (v *vector) call() *signature.Call {
	h := http.Header{}
	for name, value := range v.Headers {
		h.Set(name, value)
	}
	return &signature.Call{Method: v.Method, Target: v.Target, Base: v.Base, Header: h, Body: []byte(v.Body), Length: int64(len(v.Body))}
}

// load loads the row of the gallery with the vector's secrets.
func (v *vector) load() (*configs.Config, []configs.Fault) {
	return read.File("callers/"+v.File+".yaml", func(name string) (string, bool) {
		value, ok := v.Env[name]
		return value, ok
	})
}

// verifier compiles the row's scheme; nil where the key makes none.
func (v *vector) verifier() *signature.Verifier {
	c, _ := v.load()
	if c == nil {
		return nil
	}
	compiled, _ := signature.Compile(c.Callers[v.File].Scheme(v.File))
	return compiled
}

// verified reports whether the row takes the vector, as the server would.
func (v *vector) verified(compiled *signature.Verifier) error {
	if compiled == nil {
		return os.ErrInvalid
	}
	now := time.Unix(v.Now, 0)
	if _, err := compiled.Head(v.call(), now); err != nil {
		return err
	}
	_, err := compiled.Verify(v.call(), now)
	return err
}

func (v *vector) copy() *vector {
	c := *v
	c.Env, c.Headers = map[string]string{}, map[string]string{}
	for k, value := range v.Env {
		c.Env[k] = value
	}
	for k, value := range v.Headers {
		c.Headers[k] = value
	}
	return &c
}

func TestEveryRowOfTheGalleryTakesItsVector(t *testing.T) {
	rows, err := filepath.Glob("callers/*.yaml")
	if err != nil || len(rows) < 27 {
		t.Fatalf("%d rows (%v), want 27 at least", len(rows), err)
	}
	seen := map[string]bool{}
	for _, v := range vectors(t) {
		seen["callers/"+v.File+".yaml"] = true
		v.signed()
		t.Run(v.File, func(t *testing.T) {
			if v.Source == "" {
				t.Error("no source")
			}
			v.loads(t)
			if err := v.verified(v.verifier()); err != nil {
				t.Fatalf("%v\n%+v", err, v.verifier().Explain(v.call(), time.Unix(v.Now, 0)))
			}
			v.refusesChanges(t)
		})
	}
	for _, row := range rows {
		if !seen[row] {
			t.Errorf("%s has no vector", row)
		}
	}
}

// loads checks that the file has the warnings that it announces, and no others.
func (v *vector) loads(t *testing.T) {
	t.Helper()
	file := "callers/" + v.File + ".yaml"
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, faults := v.load()
	faults = slices.DeleteFunc(faults, func(f configs.Fault) bool {
		return f.Warning && slices.ContainsFunc(v.Warnings, func(w string) bool { return strings.Contains(f.Path, w) })
	})
	if strings.Contains(string(content), "# warning ") {
		compare(t, expected(t, string(content)), faults)
	} else if len(faults) > 0 {
		t.Error(faults)
	}
}

// refusesChanges changes one bit of the body, the target, the time, every key, and
// every header.
func (v *vector) refusesChanges(t *testing.T) {
	t.Helper()
	own := v.verifier()
	refused := func(what string, change func(*vector)) {
		changed, compiled := v.copy(), own
		change(changed)
		if !maps.Equal(changed.Env, v.Env) {
			compiled = changed.verifier()
		}
		if changed.verified(compiled) == nil {
			t.Errorf("%s changed, and taken", what)
		}
	}
	for name, value := range v.Headers {
		if name == "Content-Type" {
			continue
		}
		for i := range value {
			if strings.IndexByte(",;= ", value[i]) < 0 && v.counts(name, i) {
				refused(name+" at "+value[:i]+"^", func(c *vector) { c.Headers[name] = flip(value, i) })
			}
		}
	}
	for name, value := range v.Env {
		if name != "META_VERIFY_TOKEN" {
			refused(name, func(c *vector) { c.Env[name] = flip(value, len(value)/2) })
		}
	}
	for i := range v.Body {
		if v.covers(i) {
			refused("body at "+v.Body[:i]+"^", func(c *vector) { c.Body = flip(v.Body, i) })
		}
	}
	if strings.Contains(v.Source, "wilio") || v.File == "square" || v.File == "messagebird" || v.File == "mandrill" {
		refused("target", func(c *vector) { c.Target = flip(v.Target, len(v.Target)-1) + "x" })
		refused("base", func(c *vector) { c.Base = flip(v.Base, len(v.Base)-1) })
	}
	if strings.Contains(string(mustRead(t, "callers/"+v.File+".yaml")), " fresh: ") {
		refused("the time, later", func(c *vector) { c.Now += 3600 })
		refused("the time, earlier", func(c *vector) { c.Now -= 3600 })
	}
}

func mustRead(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// counts leaves out what does not matter in a header: proofs of other kinds beside
// the right one, the user name beside the password, and what no letter's bit says.
func (v *vector) counts(name string, i int) bool {
	value := v.Headers[name]
	switch {
	case v.File == "stripe":
		return i < len("t=1700000000") || i >= strings.LastIndex(value, "v1=")+3 && i < strings.LastIndex(value, ",v0=")
	case v.File == "paddle":
		return i >= 3 && i < len("ts=1696195954") || i >= strings.LastIndex(value, "h1=")+3
	case v.File == "postmark":
		return i > len("Basic ")+4 && i < len(value)-4
	case v.File == "mailgun":
		return false
	}
	return true
}

// covers reports whether the i-th byte of the body is signed.
func (v *vector) covers(i int) bool {
	for _, change := range v.Changes {
		what := strings.TrimPrefix(change, "body:")
		at := strings.Index(v.Body, what)
		if i >= at && i < at+len(what) {
			return true
		}
	}
	return len(v.Changes) == 0 && !v.Bare
}

func flip(s string, i int) string { return s[:i] + string(s[i]^1) + s[i+1:] }

func TestHandshakesOfTheGallery(t *testing.T) {
	secret := "a secret of thirty-two bytes, yes"
	for _, c := range []struct {
		file, method, target, body string
		headers                    map[string]string
		sign                       bool // the call is signed, as an event is
		want                       string
	}{
		{"meta", "GET", "/?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=verify-verify-verify", "", nil, false, "text/plain; charset=utf-8 1158201444"},
		{"meta", "GET", "/?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=verify-verify-verifx", "", nil, false, ""},
		{"meta", "GET", "/?hub.mode=subscribe&hub.challenge=1&hub.challenge=2&hub.verify_token=verify-verify-verify", "", nil, false, ""},
		{"microsoft_graph", "POST", "/?validationToken=Validation%3A+Testing+client+application", "", nil, false, "text/plain; charset=utf-8 Validation: Testing client application"},
		{"microsoft_graph", "POST", "/?validationToken=a%0ab", "", nil, false, ""},
		{"slack", "POST", "/", `{"type":"url_verification","challenge":"3eZbrw"}`, nil, false, "text/plain; charset=utf-8 3eZbrw"},
		{"slack", "POST", "/", `{"type":"url_verification","challenge":"` + strings.Repeat("a", 1025) + `"}`, nil, false, ""},
		{"slack", "POST", "/", `{"type":"url_verification","challenge":"x"}`, map[string]string{"X-Slack-Signature": "v0=" + strings.Repeat("0", 64), "X-Slack-Request-Timestamp": "1700000000"}, false, ""},
		{"ringcentral", "POST", "/", "", map[string]string{"Validation-Token": "abc"}, false, " Validation-Token: abc"},
		{"zoom", "POST", "/", `{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}`, nil, true,
			`application/json {"encryptedToken":"` + hmacHex(secret, "qgg8vlvZRS6UYooatFL8Aw") + `","plainToken":"qgg8vlvZRS6UYooatFL8Aw"}`},
		{"zoom", "POST", "/", `{"event":"endpoint.url_validation","payload":{"plainToken":"v0:1700000000:{}"}}`, nil, false, ""},
		{"discord", "POST", "/", `{"type":1}`, nil, true, `application/json {"type":1}`},
	} {
		v := vector{File: c.file, Now: 1_700_000_000, Method: c.method, Base: "https://hooks.example.com", Target: c.target, Body: c.body, Headers: map[string]string{},
			Env: map[string]string{"META_APP_SECRET": secret, "META_VERIFY_TOKEN": "verify-verify-verify", "GRAPH_CLIENT_STATE": secret, "SLACK_SIGNING_SECRET": secret,
				"RINGCENTRAL_VERIFICATION_TOKEN": secret, "ZOOM_SECRET_TOKEN": secret, "DISCORD_PUBLIC_KEY": hex.EncodeToString(pair.Public().(ed25519.PublicKey))}}
		for name, value := range c.headers {
			v.Headers[name] = value
		}
		if c.sign && c.file == "zoom" {
			v.Headers["x-zm-request-timestamp"], v.Headers["x-zm-signature"] = "1700000000", "v0="+hmacHex(secret, "v0:1700000000:"+c.body)
		} else if c.sign {
			v.Headers["X-Signature-Timestamp"] = "1700000000"
			v.Headers["X-Signature-Ed25519"] = hex.EncodeToString(ed25519.Sign(pair, []byte("1700000000"+c.body)))
		}
		if got := v.greeted(); got != c.want {
			t.Errorf("%s %s %s: %q, want %q", c.file, c.target, c.body, got, c.want)
		}
	}
}

// greeted is what the handshake answers, empty where it does not.
func (v *vector) greeted() string {
	compiled := v.verifier()
	now := time.Unix(v.Now, 0)
	if _, err := compiled.Head(v.call(), now); err != nil {
		return ""
	}
	reply, err := compiled.Handshake(v.call(), now)
	if err != nil || reply == nil {
		return ""
	}
	text := reply.ContentType + " " + string(reply.Body)
	for name, value := range reply.Headers {
		text += name + ": " + value
	}
	return text
}

func hmacHex(key, text string) string {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(nil))
}
