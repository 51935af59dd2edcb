package signature_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/signature"
)

const secret = "a secret of twenty bytes"

var noon = time.Unix(1_700_000_000, 0)

func mac(text string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(nil))
}

func pointer(s string) *string { return &s }

func keys(list ...string) []credential.Secret {
	var secrets []credential.Secret
	for _, s := range list {
		secrets = append(secrets, credential.NewSecret(s))
	}
	return secrets
}

// simple is a rule that most tests begin with.
func simple() signature.Rule {
	return signature.Rule{Take: map[string]signature.Place{"at": {Header: "X-At"}}, Over: "{at}.{body}", By: signature.HMACSHA256, Keys: keys(secret),
		Proof: signature.Proof{Place: signature.Place{Header: "X-Proof"}}, Fresh: map[string]signature.Fresh{"at": {Within: 5 * time.Minute}}, Once: "{at}"}
}

func compile(t *testing.T, s signature.Scheme) *signature.Verifier {
	t.Helper()
	if s.MaxSigned == 0 {
		s.MaxSigned = 1 << 20
	}
	v, faults := signature.Compile(s)
	if v == nil {
		t.Fatal(faults)
	}
	return v
}

func one(t *testing.T, r signature.Rule) *signature.Verifier {
	t.Helper()
	return compile(t, signature.Scheme{Caller: "x", Rules: []signature.Rule{r}})
}

func post(body string, headers ...string) *signature.Call {
	h := http.Header{}
	for i := 0; i < len(headers); i += 2 {
		h.Add(headers[i], headers[i+1])
	}
	return &signature.Call{Method: "POST", Target: "/x?q=1", Base: "https://x.example.com", Header: h, Body: []byte(body), Length: int64(len(body))}
}

// reason is why a call was refused, by the head or by the whole.
func reason(v *signature.Verifier, c *signature.Call) signature.Reason {
	var r signature.Reason
	if _, err := v.Head(c, noon); err != nil {
		errors.As(err, &r)
		return "head: " + r
	}
	_, err := v.Verify(c, noon)
	errors.As(err, &r)
	return r
}

func TestWhatHasNoSwitch(t *testing.T) {
	v := one(t, simple())
	body, at := `{"a":1}`, "1700000000"
	good := mac(at + "." + body)
	for _, c := range []struct {
		what string
		call *signature.Call
		want signature.Reason
	}{
		{"right", post(body, "X-At", at, "X-Proof", good), ""},
		{"in capitals", post(body, "X-At", at, "X-Proof", strings.ToUpper(good)), ""},
		{"two proofs, one right", post(body, "X-At", at, "X-Proof", mac("other"), "X-Proof", good), ""},
		{"no proof", post(body, "X-At", at), "head: no_proof"},
		{"an empty proof", post(body, "X-At", at, "X-Proof", ""), "head: no_proof"},
		{"half a proof", post(body, "X-At", at, "X-Proof", good[:32]), "head: proof_malformed"},
		{"a proof that is no hex", post(body, "X-At", at, "X-Proof", "zz"+good[2:]), "head: proof_malformed"},
		{"no time", post(body, "X-Proof", good), "head: value_missing"},
		{"two times", post(body, "X-At", at, "X-At", at, "X-Proof", good), "head: value_twice"},
		{"a time with a sign", post(body, "X-At", "+"+at, "X-Proof", mac("+"+at+"."+body)), "head: malformed"},
		{"a negative time", post(body, "X-At", "-1", "X-Proof", mac("-1."+body)), "head: malformed"},
		{"a time with a fraction", post(body, "X-At", at+".5", "X-Proof", mac(at+".5."+body)), "head: malformed"},
		{"a time in Arabic digits", post(body, "X-At", "١٧٠٠٠٠٠٠٠٠", "X-Proof", mac("١٧٠٠٠٠٠٠٠٠."+body)), "head: malformed"},
		{"an old time", post(body, "X-At", "1699999699", "X-Proof", mac("1699999699."+body)), "head: stale"},
		{"a time to come", post(body, "X-At", "1700000301", "X-Proof", mac("1700000301."+body)), "head: stale"},
		{"at the bound", post(body, "X-At", "1699999700", "X-Proof", mac("1699999700."+body)), ""},
		{"another body", post(`{"a":2}`, "X-At", at, "X-Proof", good), "proof_wrong"},
	} {
		if got := reason(v, c.call); got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
	nine := post(body, "X-At", at)
	for range 9 {
		nine.Header.(http.Header).Add("X-Proof", good)
	}
	if got := reason(v, nine); got != "head: too_many" {
		t.Errorf("nine proofs: %q", got)
	}
}

// What is taken from a body stands there exactly once.
func TestAValueInABodyStandsOnce(t *testing.T) {
	r := simple()
	r.Fresh, r.Once = nil, "{id}"
	r.Take = map[string]signature.Place{"id": {Pointer: pointer("/data/0/id")}}
	r.Over = "{body}"
	v := one(t, r)
	for body, want := range map[string]signature.Reason{
		`{"data":[{"id":"e"}]}`:                                   "",
		" {\"data\" : [ {\"x\":{\"id\":1}, \"id\" : 7 } ] }\n":    "",
		`{"data":[{"id":"e","id":"f"}]}`:                          "value_twice",
		`{"data":[{"id":"e","\u0069d":"f"}]}`:                     "value_twice",
		`{"data":[{"id":"e"}],"data":[]}`:                         "value_twice",
		`{"data":[{"id":""}]}`:                                    "value_missing",
		`{"data":[{"id":null}]}`:                                  "malformed",
		`{"data":[{"id":{}}]}`:                                    "malformed",
		`{"data":[]}`:                                             "value_missing",
		`{"data":{"0":{"id":"e"}}}`:                               "",
		`{"data":[{"id":"e"}]} x`:                                 "malformed",
		"\ufeff" + `{"data":[{"id":"e"}]}`:                        "malformed",
		``:                                                        "malformed",
		strings.Repeat("[", 200) + strings.Repeat("]", 200):       "malformed",
		`{"data":[{"id":"` + strings.Repeat("a", 20<<10) + `"}]}`: "malformed",
	} {
		if got := reason(v, post(body, "X-Proof", mac(body))); got != want {
			t.Errorf("%.60s: %q, want %q", body, got, want)
		}
	}
}

func TestAFormIsAFormAlone(t *testing.T) {
	r := simple()
	r.Fresh, r.Once = nil, "{id}"
	r.Take = map[string]signature.Place{"id": {Form: "Id"}}
	r.Over = "{form}"
	v := one(t, r)
	const form = "application/x-www-form-urlencoded"
	for _, c := range []struct {
		kind, body, over string
		want             signature.Reason
	}{
		{form, "b=2&Id=a+b&a=%C3%A4", "Ida baäb2", ""},
		{form + "; charset=UTF-8", "Id=1", "Id1", ""},
		{"application/json", "Id=1", "Id1", "head: not_form"},
		{"", "Id=1", "Id1", "head: not_form"},
		{"multipart/form-data; boundary=x", "Id=1", "Id1", "head: not_form"},
		{form, "Id=1&Id=1", "Id1Id1", "value_twice"},
		{form, "Id=1&%49d=1", "Id1Id1", "value_twice"},
		{form, "Id=%zz", "Id%zz", "malformed"},
		{form, "Id=1" + strings.Repeat("&", 2000), "Id1", "too_many"},
	} {
		call := post(c.body, "X-Proof", mac(c.over))
		if c.kind != "" {
			call.Header.(http.Header).Set("Content-Type", c.kind)
		}
		if got := reason(v, call); got != c.want {
			t.Errorf("%s %.40s: %q, want %q", c.kind, c.body, got, c.want)
		}
	}
}

// Before a byte of the body is read, only what can be right passes.
func TestTheHeadOfAStrangerIsRefusedUnread(t *testing.T) {
	hook := signature.Handshake{Admit: []signature.Line{{At: &signature.Place{Pointer: pointer("/type")}, Is: []any{"hello"}}},
		Take: map[string]signature.Place{"x": {Pointer: pointer("/x")}}, Answer: signature.Answer{Text: "{x}"}}
	s := signature.Scheme{Caller: "x", Rules: []signature.Rule{simple()}, MaxSigned: 1 << 20}
	plain := compile(t, s)
	s.Handshakes = []signature.Handshake{hook}
	greeting := compile(t, s)
	proof := mac("1700000000.x")
	for _, c := range []struct {
		what   string
		v      *signature.Verifier
		call   *signature.Call
		length int64
		limit  int64
		want   signature.Reason
	}{
		{"right", plain, post("", "X-At", "1700000000", "X-Proof", proof), 100, 1 << 20, ""},
		{"of unknown length", plain, post("", "X-At", "1700000000", "X-Proof", proof), -1, 1 << 20, ""},
		{"too long", plain, post("", "X-At", "1700000000", "X-Proof", proof), 1<<20 + 1, 0, signature.TooLarge},
		{"no proof", plain, post(""), 10, 0, signature.NoProof},
		{"no proof, perhaps a handshake", greeting, post(""), 10, signature.MaxHandshake, ""},
		{"no proof, too long for a handshake", greeting, post(""), signature.MaxHandshake + 1, 0, signature.TooLarge},
		{"a stale proof is no handshake", greeting, post("", "X-At", "1", "X-Proof", proof), 10, 0, signature.Stale},
	} {
		c.call.Length = c.length
		limit, err := c.v.Head(c.call, noon)
		var r signature.Reason
		errors.As(err, &r)
		if limit != c.limit || r != c.want {
			t.Errorf("%s: %d bytes, %q", c.what, limit, r)
		}
	}
}

// A rule whose proof covers no body is decided before the body.
func TestAProofOfTheHeadIsDecidedByTheHead(t *testing.T) {
	r := simple()
	r.Over = "{at} {url}"
	v := one(t, r)
	if got := reason(v, post("x", "X-At", "1700000000", "X-Proof", mac("1700000000 https://x.example.com/x?q=1"))); got != "" {
		t.Errorf("%q", got)
	}
	if got := reason(v, post("x", "X-At", "1700000000", "X-Proof", mac("1700000000 https://x.example.com/x?q=2"))); got != "head: proof_wrong" {
		t.Errorf("%q", got)
	}
}

func TestOnceDiffersByCallerAndLastsTwiceTheTime(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range []string{"a", "b"} {
		v := compile(t, signature.Scheme{Caller: name, Rules: []signature.Rule{simple()}})
		p, err := v.Verify(post("x", "X-At", "1700000000", "X-Proof", mac("1700000000.x")), noon)
		if err != nil || len(p.Once) != 64 || p.Remember != 10*time.Minute || seen[p.Once] {
			t.Errorf("%+v %v", p, err)
		}
		seen[p.Once] = true
	}
	r := simple()
	r.Fresh = nil
	p, err := one(t, r).Verify(post("x", "X-At", "1700000000", "X-Proof", mac("1700000000.x")), noon)
	if err != nil || p.Remember != 24*time.Hour {
		t.Errorf("%+v %v", p, err)
	}
}

// jwtOf signs by hand: the test does not use the library that verifies.
func jwtOf(header, claims string) string {
	raw := base64.RawURLEncoding.EncodeToString
	head := raw([]byte(header)) + "." + raw([]byte(claims))
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(head))
	return head + "." + raw(m.Sum(nil))
}

func TestJWTs(t *testing.T) {
	v := one(t, signature.Rule{By: signature.JWT, Algorithms: []string{"HS256"}, Keys: keys(secret), Once: "{id}",
		Take:  map[string]signature.Place{"id": {Claim: "jti"}},
		Proof: signature.Proof{Place: signature.Place{Header: "Authorization", Prefix: "Bearer "}},
		Admit: []signature.Line{{At: &signature.Place{Claim: "/a~1b"}, Is: []any{int64(1)}}}})
	const header, claims = `{"alg":"HS256","typ":"JWT"}`, `{"jti":"j","a/b":1}`
	good := jwtOf(header, claims)
	sum := sha256.Sum256([]byte("x"))
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + "."
	for token, want := range map[string]signature.Reason{
		good:                             "",
		none:                             "head: proof_malformed",
		jwtOf(`{"alg":"HS512"}`, claims): "head: proof_malformed",
		jwtOf(`{"alg":"HS256","crit":["x"],"x":1}`, claims):           "head: proof_wrong",
		jwtOf(`{"alg":"HS256","jku":"https://evil.example"}`, claims): "",
		jwtOf(header, `{"jti":"j","a/b":2}`):                          "head: not_admitted",
		jwtOf(header, `{"jti":"j","jti":"k","a/b":1}`):                "head: value_twice",
		jwtOf(header, `{"jti":"j","a/b":1,"exp":1699999939}`):         "head: stale",
		jwtOf(header, `{"jti":"j","a/b":1,"exp":1699999941}`):         "",
		jwtOf(header, `{"jti":"j","a/b":1,"nbf":1700000061}`):         "head: stale",
		jwtOf(header, `{"jti":"j","a/b":1,"exp":"1800000000"}`):       "head: malformed",
		jwtOf(header, `{"a/b":1}`):                                    "head: value_missing",
		jwtOf(header, `[]`):                                           "head: value_missing",
		good[:len(good)-1] + "A":                                      "head: proof_wrong",
		good + "=":                                                    "head: proof_malformed",
		strings.Replace(good, ".", "..", 1):                           "head: proof_malformed",
		good + "." + hex.EncodeToString(sum[:]):                       "head: proof_malformed",
		strings.Repeat("a", 20<<10):                                   "head: malformed",
	} {
		if got := reason(v, post("x", "Authorization", "Bearer "+token)); got != want && !(want == "head: proof_wrong" && got == "head: proof_malformed") {
			t.Errorf("%.80s: %q, want %q", token, got, want)
		}
	}
}

// An answer that holds the scheme's own code signs what the caller chose: nobody gets
// one without a proof.
func TestNoStrangerHasTextsSigned(t *testing.T) {
	s := signature.Scheme{Caller: "x", Rules: []signature.Rule{simple()}, Handshakes: []signature.Handshake{{
		Admit: []signature.Line{{At: &signature.Place{Pointer: pointer("/type")}, Is: []any{"hello"}}},
		Take:  map[string]signature.Place{"x": {Pointer: pointer("/x")}}, Answer: signature.Answer{JSON: map[string]any{"x": "{x.hmac.hex}", "n": int64(1)}},
	}}}
	v := compile(t, s)
	body := `{"type":"hello","x":"1700000000.evil"}`
	for _, headers := range [][]string{nil, {"X-At", "1700000000"}, {"X-At", "1700000000", "X-Proof", mac("?")}} {
		if reply, err := v.Handshake(post(body, headers...), noon); reply != nil || err == nil {
			t.Errorf("%v: answered %+v", headers, reply)
		}
		if _, err := v.Head(post(body, headers...), noon); err == nil && len(headers) < 4 {
			t.Errorf("%v: the body would be read", headers)
		}
	}
	reply, err := v.Handshake(post(body, "X-At", "1700000000", "X-Proof", mac("1700000000."+body)), noon)
	if err != nil || string(reply.Body) != `{"n":1,"x":"`+mac("1700000000.evil")+`"}` {
		t.Errorf("%+v %v", reply, err)
	}
}

func TestAnExplanationNamesThePartAndKeepsTheSecret(t *testing.T) {
	r := simple()
	r.Over = "{at} {url} {body}"
	v := one(t, r)
	at, url := "1700000000", "https://x.example.com/x?q=1"
	for _, c := range []struct{ signed, want string }{
		{at + " " + url + " x", "without the line break"},
		{at + " " + url + " x\n\n", "with a line break"},
		{at + " " + url + " y\n", ""},
		{at + " http://x.example.com/x?q=1 x\n", "http://"},
		{at + " https://x.example.com/x x\n", "without its query"},
	} {
		call := post("x\n", "X-At", at, "X-Proof", mac(c.signed))
		x := v.Explain(call, noon)[0]
		if x.Refused == nil || x.Refused.Reason != signature.ProofWrong {
			t.Fatalf("%+v", x)
		}
		if !strings.Contains(x.Differs, c.want) || c.want == "" && x.Differs != "" {
			t.Errorf("%q: %q", c.signed, x.Differs)
		}
		if len(x.Signed) != 5 || x.Signed[0].Length != 10 || x.Signed[2].Shown != url || x.Signed[4].Length != 2 {
			t.Errorf("%+v", x.Signed)
		}
		for _, p := range x.Signed {
			if strings.Contains(p.Shown, secret) || strings.Contains(p.Shown, mac(at+" "+url+" x\n")) {
				t.Error("the secret, or the right signature, is shown")
			}
		}
	}
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(at + " " + url + " x"))
	x := v.Explain(post("x", "X-At", at, "X-Proof", base64.StdEncoding.EncodeToString(m.Sum(nil))), noon)[0]
	if x.Refused.Reason != signature.ProofMalformed || !strings.Contains(x.Differs, "base64") {
		t.Errorf("%+v", x)
	}
}

func TestABudgetIsKept(t *testing.T) {
	b := signature.NewBudget(100)
	if !b.Take(60) || b.Take(41) || !b.Take(40) || b.Used() != 100 {
		t.Error("more was taken than is there")
	}
	b.Give(60)
	if !b.Take(60) || b.Take(1) {
		t.Error("what was given back is not there")
	}
}

// Rotation: any of the keys, and the verified one is told.
func TestKeysRoll(t *testing.T) {
	r := simple()
	r.Keys = keys("another secret, an older one", secret)
	p, err := one(t, r).Verify(post("x", "X-At", "1700000000", "X-Proof", mac("1700000000.x")), noon)
	if err != nil || p.Key != 1 {
		t.Errorf("%+v %v", p, err)
	}
}

// TestSmallBodiesHaveRoom: large bodies leave a quarter to those that begin.
func TestSmallBodiesHaveRoom(t *testing.T) {
	b := signature.NewBudget(100)
	if !b.Take(10) || !b.TakeMore(65) || b.TakeMore(1) {
		t.Errorf("%d are taken, want 75", b.Used())
	}
	if !b.Take(25) || b.Take(1) {
		t.Errorf("%d are taken, want all", b.Used())
	}
	b.Give(50)
	if !b.TakeMore(25) || b.TakeMore(1) {
		t.Errorf("%d are taken, want 75", b.Used())
	}
}
