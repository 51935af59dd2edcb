package check

import (
	"coatcheck/configs"
)

// persistence checks the field by which people choose whether their cookie outlives the browser.
func (ck frontendCheck) persistence(at string, f *configs.Frontend) {
	u, message := ck.Config.Upstreams[f.Login.Upstream], ""
	if f.Cookie.Persistent.Field == "" || u == nil {
		return
	}
	switch f.ChoiceKind(u) {
	case configs.BoolField:
		return
	case "":
		message = "neither true or false nor a sign-in field of this frontend"
	default:
		message = "the field by which people choose must be a boolean"
	}
	ck.Refuse(at, message, `fields: [email, password, "remember?: bool"]`)
}
