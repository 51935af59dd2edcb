package upstreams

import (
	"maps"
	"slices"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/configs/rule"
	"coatcheck/upstream/mapping"
)

// callerNames are built into send: the caller's name, and the id of its key.
var callerNames = []string{"caller", "caller_key"}

// accounts checks how Coatcheck itself signs in at an upstream.
func (ck accountCheck) accounts(path, name string, u *configs.Upstream) {
	for _, account := range slices.Sorted(maps.Keys(u.Accounts)) {
		a, at := u.Accounts[account], child(path, "accounts", account)
		if !rule.IsLabel(account) {
			ck.Refuse(at, "the name of an account has letters, digits, \".\", \"_\" and \"-\", at most 64", "")
		}
		kinds := 0
		for _, given := range []bool{a.Credential != nil, a.Fields != nil, a.Login != nil} {
			if given {
				kinds++
			}
		}
		if kinds != 1 {
			ck.Refuse(at, "an account has exactly one of credential, fields and login", "{credential: {access_token: \"${API_TOKEN}\"}}")
		}
		ck.staticAccount(child(at, "credential"), a)
		ck.accountFields(child(at, "fields"), a, u)
		ck.accountLogin(child(at, "login"), name, a, u)
		if !ck.accountUsed(name, account) {
			ck.Warn(at, "no caller uses this account at a route of this upstream", "account: "+account)
		}
	}
}

func (ck accountCheck) staticAccount(path string, a *configs.Account) {
	if a.Credential == nil {
		return
	}
	if a.Credential[credential.AccessToken].IsEmpty() {
		ck.Refuse(path, "access_token is missing or empty: what the API calls its token goes under this name", "access_token: \"${API_TOKEN}\"")
	}
	for name, value := range a.Credential {
		if rule.HasControl(value.Reveal()) {
			ck.Refuse(child(path, name), "has a line break or another control character, which no header carries", "${file:PATH} leaves out blank ends")
		}
		if !mapping.IsName(name) || mapping.IsBuiltIn(name) || slices.Contains(callerNames, name) || mapping.IsExpiry(name) {
			ck.Refuse(child(path, name), "not the name of a value that send could put", "")
		}
	}
}

// accountFields checks that the upstream's login finds what it puts.
func (ck accountCheck) accountFields(path string, a *configs.Account, u *configs.Upstream) {
	if a.Fields == nil {
		return
	}
	if u.Login == nil {
		ck.Refuse(path, "this upstream has no login to fill in", "login: {request: …, credential: …} of the account's own")
		return
	}
	needed := u.Login.Request.Names()
	for _, name := range needed {
		if _, given := a.Fields[name]; !given && !mapping.IsBuiltIn(name) && !ck.optionalField(u, name) {
			ck.Refuse(path, "the upstream's login puts {"+name+"}, which this account does not give", "")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.Fields)) {
		if !mapping.IsName(name) {
			ck.Refuse(child(path, name), "a field name has letters, digits, \"_\" and \"-\"", "")
		} else if !slices.Contains(needed, name) {
			ck.Warn(child(path, name), "the upstream's login does not put this field", "")
		}
	}
}

// optionalField reports whether pages may leave a field out.
func (ck accountCheck) optionalField(u *configs.Upstream, name string) bool {
	return slices.ContainsFunc(ck.Frontends(), func(f *configs.Frontend) bool {
		return ck.Config.Upstreams[f.Login.Upstream] == u && f.Login.Optional(name)
	})
}

// accountLogin checks a sign-in of the account's own, which has no fields and nobody to describe.
func (ck accountCheck) accountLogin(path, name string, a *configs.Account, u *configs.Upstream) {
	if a.Login == nil {
		return
	}
	ck.request(child(path, "request"), a.Login.Request, scope{hint: "an account's own sign-in puts constants: ${NAME}"})
	ck.answers(path, a.Login.Answers, &configs.Upstream{Login: a.Login}, "login")
	ck.rejected(path, a.Login.Rejected)
	ck.credential(child(path, "credential"), a.Login.Credential, true)
	if a.Login.User != nil {
		ck.Refuse(child(path, "user"), "an account is not a person", "leave it out")
	}
	if a.Login.Steps != nil {
		ck.Refuse(child(path, "steps"), "an account cannot answer a second step", "an account of the API without one")
	}
}

// accountUsed reports whether a caller goes out with the account.
func (ck accountCheck) accountUsed(upstream, account string) bool {
	return slices.ContainsFunc(ck.Frontends(), func(f *configs.Frontend) bool {
		return slices.ContainsFunc(f.Routes, func(r *configs.Route) bool {
			return r.Upstream == upstream && slices.ContainsFunc(r.Callers, func(name string) bool {
				c := ck.Config.Callers[name]
				return c != nil && c.Account == account
			})
		})
	})
}
