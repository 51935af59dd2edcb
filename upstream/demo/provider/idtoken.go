package provider

import (
	"crypto/sha256"
	"crypto/sha512"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const idTokenLife = 10 * time.Minute

// idToken makes an ID token. first: for a sign-in, not for a refresh.
func (p tokens) idToken(c *Client, g grant, access string, first bool) string {
	now := p.now()
	claims := map[string]any{"iss": p.options.Issuer, "aud": c.ID, "iat": now.Unix(), "exp": now.Add(idTokenLife).Unix(),
		"auth_time": g.authTime.Unix(), "sid": g.session, "at_hash": p.atHash(access)}
	maps.Copy(claims, p.describe(g))
	if first && g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	if g.acr != "" {
		claims["acr"], claims["amr"] = g.acr, []string{"pwd"}
	}
	p.pervert(claims, c, g)
	if !first {
		p.pervertRefreshed(claims)
	}
	if p.has(LineBreak) {
		return p.sign(claims, "JWT", c) + "\n"
	}
	if sin := p.first(slices.Collect(maps.Keys(sinfulTypes))...); sin != "" {
		return p.sign(claims, sinfulTypes[sin], c)
	}
	return p.sign(claims, "JWT", c)
}

// sinfulTypes are the typ of ID tokens that are not JWT.
var sinfulTypes = map[Sin]string{
	TypLogoutToken: "logout+jwt", TypAccessToken: "application/at+jwt", TypProof: "dpop+jwt", TypUnheardOf: "secevent+jwt",
	TypNumber: string(TypNumber), CritEmpty: string(CritEmpty), TypAbsent: "", TypInFull: "application/JWT",
}

// atHash is the left half of the access token's hash (OpenID Connect Core 1.0 §3.1.3.6).
func (p tokens) atHash(access string) string {
	if p.has(SignedEdDSA) {
		sum := sha512.Sum512([]byte(access))
		return encode(sum[:32])
	}
	if p.has(AlgUnannounced) {
		sum := sha512.Sum384([]byte(access))
		return encode(sum[:24])
	}
	sum := sha256.Sum256([]byte(access))
	return encode(sum[:16])
}

// describe are a person's claims, by scope.
func (p tokens) describe(g grant) map[string]any {
	claims := map[string]any{"sub": g.subject}
	who := p.person(g.subject)
	if who == nil {
		return claims
	}
	maps.Copy(claims, who.Claims)
	if strings.Contains(g.scope, "email") {
		claims["email"], claims["email_verified"] = who.Email, true
	}
	if strings.Contains(g.scope, "profile") {
		claims["name"] = who.Name
	}
	return claims
}

// pervert puts the sins of the moment into an ID token.
func (p tokens) pervert(claims map[string]any, c *Client, g grant) {
	now := p.now()
	for sin, change := range map[Sin]func(){
		NonceInvalid:    func() { claims["nonce"] = "not " + g.nonce },
		NonceMissing:    func() { delete(claims, "nonce") },
		InvalidIss:      func() { claims["iss"] = "https://evil.example" },
		MissingAud:      func() { delete(claims, "aud") },
		InvalidAud:      func() { claims["aud"] = "somebody-else" },
		ExtraAud:        func() { claims["aud"], claims["azp"] = []string{c.ID, "somebody-else"}, c.ID },
		ExtraAudNoAzp:   func() { claims["aud"] = []string{c.ID, "somebody-else"} },
		OtherAzp:        func() { claims["azp"] = "somebody-else" },
		MissingSub:      func() { delete(claims, "sub") },
		EmptySub:        func() { claims["sub"] = "" },
		MissingIat:      func() { delete(claims, "iat") },
		FutureIat:       func() { claims["iat"] = now.Add(10 * time.Minute).Unix() },
		MissingExp:      func() { delete(claims, "exp") },
		Expired:         func() { claims["exp"] = now.Add(-2 * time.Minute).Unix() },
		NotYet:          func() { claims["nbf"] = now.Add(time.Hour).Unix() },
		InvalidAtHash:   func() { claims["at_hash"] = encode(make([]byte, 16)) },
		AuthTimeMissing: func() { delete(claims, "auth_time") },
		AuthTimeOld:     func() { claims["auth_time"] = now.Add(-time.Hour).Unix() },
		OtherACR:        func() { claims["acr"] = "bronze" },
		NotYetByMinutes: func() { claims["nbf"] = now.Add(2 * time.Minute).Unix() },
		SubTwice:        func() { claims["SUB"] = "somebody-else" },
		AuthTimeFuture:  func() { claims["auth_time"] = now.Add(time.Hour).Unix() },
		WithEvents:      func() { claims["events"] = map[string]any{} },
		AMRText:         func() { claims["amr"] = "pwd" },
		IatText:         func() { claims["iat"] = asText(now) },
		ExpText:         func() { claims["exp"] = asText(now.Add(time.Minute)) },
		NbfText:         func() { claims["nbf"] = asText(now) },
		AuthTimeText:    func() { claims["auth_time"] = asText(now) },
		EmptyAtHash:     func() { claims["at_hash"] = "" },
	} {
		if p.has(sin) {
			change()
		}
	}
}

// asText is a time as no token may write it.
func asText(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func (p tokens) pervertRefreshed(claims map[string]any) {
	for sin, change := range map[Sin]func(){
		RefreshInvalidIssuer: func() { claims["iss"] = "https://evil.example" },
		RefreshInvalidSub:    func() { claims["sub"] = "somebody-else" },
		RefreshInvalidAud:    func() { claims["aud"] = []any{claims["aud"], "listed"}; claims["azp"] = claims["aud"].([]any)[0] },
		RefreshInvalidAzp:    func() { claims["azp"] = claims["aud"] },
		RefreshOtherNonce:    func() { claims["nonce"] = "another" },
	} {
		if p.has(sin) {
			change()
		}
	}
}

// userinfo describes the person of an access token.
func (p tokens) userinfo(w http.ResponseWriter, r *http.Request) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	g, known := p.Introspect(token)
	if !known || !strings.EqualFold(scheme, kind(g.Thumbprint)) {
		w.Header().Set("WWW-Authenticate", kind(g.Thumbprint)+` error="invalid_token"`)
		refuse(w, http.StatusUnauthorized, "invalid_token", "")
		return
	}
	thumbprint, ok := p.bound(w, r, token)
	if !ok {
		return
	}
	if thumbprint != g.Thumbprint {
		refuse(w, http.StatusUnauthorized, "invalid_token", "")
		return
	}
	doc := p.describe(grant{subject: g.Subject, scope: g.Scope})
	switch p.first(UserinfoInvalidSub, UserinfoMissingSub, UserinfoGarbage, UserinfoError, UserinfoTrailing) {
	case UserinfoTrailing:
		writeJSON(w, http.StatusOK, doc)
		_, _ = w.Write([]byte(`{"sub":"somebody-else"}`))
		return
	case UserinfoInvalidSub:
		doc["sub"] = "somebody-else"
	case UserinfoMissingSub:
		delete(doc, "sub")
	case UserinfoGarbage:
		_, _ = w.Write([]byte(`<html>`))
		return
	case UserinfoError:
		refuse(w, http.StatusForbidden, "insufficient_scope", hostile)
		return
	}
	writeJSON(w, http.StatusOK, doc)
}
