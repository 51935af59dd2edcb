package signature_test

import (
	"net/http"
	"strings"
	"testing"

	"coatcheck/bff/signature"
)

// FuzzPlaces: whatever a call holds, a rule that takes a value from everywhere never
// verifies it without the secret, and neither reading nor explaining fails.
func FuzzPlaces(f *testing.F) {
	f.Add("/x?q=1&q=2", "Basic dTpw", "application/x-www-form-urlencoded", "Id=1&id=%zz")
	f.Add("/", "Bearer x", "application/json", `{"a":{"b":[1,{"c":"\u0000"}]}}`)
	f.Add("/?", "Basic", "application/json;", `{"a":1,"a":2}`)
	places := map[string]signature.Place{
		"p": {Pointer: pointer("/a/b/1/c")}, "q": {Query: "q"}, "f": {Form: "Id"}, "u": {Basic: "user"}, "h": {Header: "Authorization", Split: " ", Prefix: "B"},
	}
	var list []*signature.Verifier
	for name, p := range places {
		r := signature.Rule{Take: map[string]signature.Place{name: p}, Over: "{" + name + "}{body.sha256}", By: signature.HMACSHA256, Keys: keys(secret), Proof: signature.Proof{Place: p, Encoding: "text"}, Once: "{" + name + "}"}
		v, faults := signature.Compile(signature.Scheme{Caller: "x", Rules: []signature.Rule{r}, MaxSigned: 1 << 20})
		if v == nil {
			f.Fatal(faults)
		}
		list = append(list, v)
	}
	f.Fuzz(func(t *testing.T, target, authorization, kind, body string) {
		c := &signature.Call{Method: "POST", Target: target, Base: "https://x.example.com", Body: []byte(body), Length: int64(len(body)),
			Header: http.Header{"Authorization": {authorization}, "Content-Type": {kind}}}
		for _, v := range list {
			_, _ = v.Head(c, noon)
			if _, err := v.Verify(c, noon); err == nil {
				t.Fatal("verified without the secret")
			}
			v.Explain(c, noon)
		}
	})
}

// FuzzOver: whatever an operator writes, it compiles or is refused, and what compiles
// verifies what it cannot have signed never.
func FuzzOver(f *testing.F) {
	for _, over := range []string{"{id}.{at}.{body}", "{url}{form}", "{{x{body.sha256.hex}", "{url.base.md5.base64}", "{", "{body.hmac}", "{}", "{body..hex}"} {
		f.Add(over, "v1,", "{body}")
	}
	f.Fuzz(func(t *testing.T, over, prefix, once string) {
		r := simple()
		r.Over, r.Once, r.Proof.Prefix, r.Fresh = over, once, prefix, nil
		v, faults := signature.Compile(signature.Scheme{Caller: "x", Rules: []signature.Rule{r}, MaxSigned: 1 << 10})
		if v == nil {
			if len(faults) == 0 {
				t.Fatal("refused without a word")
			}
			return
		}
		c := post(over, "X-At", "1700000000", "X-Proof", prefix+strings.Repeat("0", 64))
		if _, err := v.Verify(c, noon); err == nil {
			t.Fatal("verified")
		}
		v.Explain(c, noon)
	})
}

// FuzzJWT: no token that the secret did not sign is taken.
func FuzzJWT(f *testing.F) {
	good := jwtOf(`{"alg":"HS256"}`, `{"jti":"j"}`)
	f.Add(good)
	f.Add(strings.Replace(good, ".", "..", 1))
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	v, faults := signature.Compile(signature.Scheme{Caller: "x", MaxSigned: 1 << 10, Rules: []signature.Rule{{By: signature.JWT, Algorithms: []string{"HS256"}, Keys: keys(secret),
		Take: map[string]signature.Place{"id": {Claim: "jti"}}, Once: "{id}", Proof: signature.Proof{Place: signature.Place{Header: "X"}}}}})
	if v == nil {
		f.Fatal(faults)
	}
	f.Fuzz(func(t *testing.T, token string) {
		c := post("", "X", token)
		_, errHead := v.Head(c, noon)
		_, err := v.Verify(c, noon)
		if (err == nil) != (errHead == nil) {
			t.Fatalf("the head says %v, the whole %v", errHead, err)
		}
		if err == nil && strings.Trim(token, " \t") != good {
			t.Fatalf("taken: %q", token)
		}
	})
}
