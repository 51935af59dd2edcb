package check

import (
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"coatcheck/bff/http1"
	"coatcheck/bff/signature"
	"coatcheck/configs"
	"coatcheck/configs/check/checker"
	"coatcheck/configs/rule"
)

// callers checks every caller by itself; routes check where they may call.
func (ck callerCheck) callers() {
	keys := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(ck.Config.Callers)) {
		path, c := child("callers", name), ck.Config.Callers[name]
		if !rule.IsLabel(name) {
			ck.Refuse(path, "the name of a caller has letters, digits, \".\", \"_\" and \"-\", at most 64", "")
		}
		ck.callerKind(path, c)
		ck.callerKeys(path, c, keys)
		ck.runtimeKeys(path, c)
		ck.callerFrom(path, c)
		ck.callerBounds(path, c)
		if len(c.Signature) > 0 {
			ck.scheme(path, name, c)
		}
		if c.Token != nil {
			ck.callerToken(child(path, "token"), c.Token)
		}
		if !ck.mayCallAnywhere(name) {
			ck.Warn(path, "no route lets this caller in", "callers: ["+name+"] at a route")
		}
	}
}

// callerKind refuses two kinds of proof, and keys that belong to another kind.
func (ck callerCheck) callerKind(path string, c *configs.Caller) {
	has := func(key string) bool { return ck.Config.Source.Has(child(path, key)) }
	kinds := 0
	for _, key := range []string{"keys", "signature", "token"} {
		if has(key) {
			kinds++
		}
	}
	if kinds > 1 {
		ck.Refuse(path, "a caller proves itself in one way: keys, signature or token", "make it two callers")
		return
	}
	belongs := map[string]string{"from": configs.ByKey, "expires": configs.ByKey, "handshake": configs.BySignature, "max_signed": configs.BySignature, "url": configs.BySignature}
	for _, key := range slices.Sorted(maps.Keys(belongs)) {
		if has(key) && belongs[key] != c.Kind() {
			ck.Refuse(child(path, key), "this belongs to a caller with a "+belongs[key], "")
		}
	}
}

// callerKeys checks hashes; seen are those of other callers.
func (ck callerCheck) callerKeys(path string, c *configs.Caller, seen map[string]string) {
	for i, hash := range c.Keys {
		at := item(child(path, "keys"), i)
		digits, ok := strings.CutPrefix(hash, "sha256:")
		raw, err := hex.DecodeString(digits)
		switch {
		case strings.HasPrefix(hash, "cchk_"):
			ck.Refuse(at, "a key itself does not belong in the file, only its hash", "`coatcheck apikey new --offline` prints the hash")
		case !ok || err != nil || len(raw) != 32 || digits != strings.ToLower(digits):
			ck.Refuse(at, "not the hash of a key: sha256: and 64 digits 0-9a-f", "`coatcheck apikey new --offline` prints it")
		case seen[digits] != "":
			ck.Refuse(at, "the same key is listed twice", "every caller has keys of its own")
		}
		seen[digits] = path
	}
}

func (ck callerCheck) callerFrom(path string, c *configs.Caller) {
	if ck.Config.Source.Has(child(path, "from")) && len(c.From) == 0 {
		ck.Refuse(child(path, "from"), "empty list: no key would be read", "leave it out")
	}
	for i, from := range c.From {
		at, lower := item(child(path, "from"), i), strings.ToLower(from.Header)
		switch {
		case slices.IndexFunc(c.From, func(other configs.From) bool { return samePlace(from, other) }) < i:
			ck.Refuse(at, "duplicate place", "")
		case from.Header != "" && !http1.IsToken([]byte(from.Header)):
			ck.Refuse(child(at, "header"), "not a valid header name", "")
		case lower == "cookie" || lower == "authorization" || lower == "origin" || checker.IsOwnHeader(lower) || strings.HasPrefix(lower, "sec-"):
			ck.Refuse(child(at, "header"), "no key is read from this header", "X-Api-Key, or bearer and basic")
		case from.Query != "":
			ck.Warn(child(at, "query"), "a key in a URL ends up in histories and in the logs of every proxy", "bearer, basic or a header, where the program can")
		}
	}
}

// samePlace reports whether two places are one: names of headers know no case.
func samePlace(f, other configs.From) bool {
	return f.Bearer == other.Bearer && f.Basic == other.Basic && f.Query == other.Query && strings.EqualFold(f.Header, other.Header)
}

// callerBounds checks what limits a caller.
func (ck callerCheck) callerBounds(path string, c *configs.Caller) {
	if ck.Config.Source.Has(child(path, "methods")) {
		ck.Methods(child(path, "methods"), c.Methods)
	}
	for i, p := range c.Addresses {
		if p.IsValid() && p.Bits() == 0 {
			ck.Warn(item(child(path, "addresses"), i), "every address is in this network", "leave addresses out")
		}
	}
	if c.URL != "" {
		if message := signature.CheckURL(c.URL); message != "" {
			ck.Refuse(child(path, "url"), message, "https://hooks.example.com")
		}
	}
}

// scheme compiles how a caller signs and reports what that finds.
func (ck callerCheck) scheme(path, name string, c *configs.Caller) {
	_, faults := signature.Compile(c.Scheme(name))
	one := !ck.Config.Source.Has(item(child(path, "signature"), 0))
	for _, f := range faults {
		at := path
		switch {
		case f.Rule >= 0 && one:
			at = child(path, "signature") + "." + f.Path
		case f.Rule >= 0:
			at = item(child(path, "signature"), f.Rule) + "." + f.Path
		case f.Handshake >= 0:
			at = item(child(path, "handshake"), f.Handshake) + "." + f.Path
		default:
			at = child(path, f.Path)
		}
		if f.Warning {
			ck.Warn(at, f.Message, f.Hint)
		} else {
			ck.Refuse(at, f.Message, f.Hint)
		}
	}
	ck.schemePlaces(path, c, one)
}

// schemePlaces checks names of headers, and encodings that mean nothing.
func (ck callerCheck) schemePlaces(path string, c *configs.Caller, one bool) {
	for i, s := range c.Signature {
		at := child(path, "signature")
		if !one {
			at = item(at, i)
		}
		if s.Proof != nil {
			ck.callPlace(child(at, "proof"), s.Proof, true)
		}
		ck.takePlaces(at, s.Take, s.Admit)
	}
	for i := range c.Handshake {
		ck.takePlaces(item(child(path, "handshake"), i), c.Handshake[i].Take, c.Handshake[i].Admit)
		ck.answerHeaders(child(item(child(path, "handshake"), i), "answer", "headers"), c.Handshake[i].Answer.Headers)
	}
}

func (ck callerCheck) takePlaces(path string, take map[string]configs.CallPlace, admit []configs.Line) {
	for name, p := range take {
		ck.callPlace(child(path, "take", name), &p, false)
	}
	for i, l := range admit {
		if l.At != nil {
			ck.callPlace(child(item(child(path, "admit"), i), "at"), l.At, false)
		}
	}
}

func (ck callerCheck) callPlace(path string, p *configs.CallPlace, proof bool) {
	if p.Header != "" && !http1.IsToken([]byte(p.Header)) {
		ck.Refuse(child(path, "header"), "not a valid header name", "")
	}
	if strings.EqualFold(p.Header, "Cookie") {
		ck.Refuse(child(path, "header"), "nothing of a caller is read from cookies", "")
	}
	if p.Encoding != "" && !proof {
		ck.Refuse(child(path, "encoding"), "an encoding is for a proof", "")
	}
}

func (ck callerCheck) answerHeaders(path string, headers map[string]configs.SignedText) {
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		lower := strings.ToLower(name)
		switch {
		case !http1.IsToken([]byte(name)) || checker.IsOwnHeader(name):
			ck.Refuse(child(path, name), "not a header that a handshake can answer", "")
		case seen[lower]:
			ck.Refuse(child(path, name), "duplicate header: header names are not case-sensitive", "")
		}
		seen[lower] = true
	}
}

// callerToken checks what a token must say. A place in it is a claim.
func (ck callerCheck) callerToken(path string, t *configs.CallerToken) {
	ck.tokenProvider(child(path, "provider"), t.Provider)
	for i, a := range t.Audiences {
		if a == "" {
			ck.Refuse(item(child(path, "audiences"), i), "must not be empty", "")
		}
	}
	for i, l := range t.Admit {
		at := child(item(child(path, "admit"), i), "at")
		if l.At != nil && l.At.Pointer == nil && l.At.Claim == "" {
			ck.Refuse(at, "of a token only claims are looked at", "/azp")
			return
		}
	}
	_, faults := signature.CompileClaims(configs.Lines(t.Admit))
	for _, f := range faults {
		ck.Refuse(path+"."+f.Path, f.Message, f.Hint)
	}
	if len(t.Admit) == 0 {
		ck.Warn(path, "every client of this provider that may have such a token is this caller", "admit: [{at: /azp, is: …}]")
	}
}

// tokenProvider refuses a provider that is not there, or whose tokens nobody can verify.
func (ck callerCheck) tokenProvider(path, name string) {
	p := ck.Config.Providers[name]
	switch {
	case name == "":
	case p == nil:
		ck.Refuse(path, "there is no provider "+ck.Quote(path, name), ck.Suggest(path, name, slices.Sorted(maps.Keys(ck.Config.Providers))))
	case !p.HasIssuer():
		ck.Refuse(path, "without an issuer nobody says which keys sign this provider's tokens", "a provider with an issuer")
	}
}

// presentsTokens reports whether a caller presents tokens of a provider.
func (ck providerCheck) presentsTokens(provider string) bool {
	for _, c := range ck.Config.Callers {
		if c.Token != nil && c.Token.Provider == provider {
			return true
		}
	}
	return false
}

func (ck callerCheck) mayCallAnywhere(name string) bool {
	return slices.ContainsFunc(ck.Frontends(), func(f *configs.Frontend) bool {
		return slices.ContainsFunc(f.Routes, func(r *configs.Route) bool { return slices.Contains(r.Callers, name) })
	})
}
