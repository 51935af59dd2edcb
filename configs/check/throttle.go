package check

import (
	"coatcheck/configs"
	"coatcheck/configs/rule"
)

// sharedThrottle checks the name of counts that frontends share. A name that stands
// alone is most likely misspelt.
func (ck frontendCheck) sharedThrottle(path string, f *configs.Frontend) {
	name, at := f.SharedThrottle, child(path, "shared_throttle")
	if name == "" || f.IsDoor() {
		return
	}
	if !rule.IsLabel(name) {
		ck.Refuse(at, "the name of shared counts has letters, digits, \".\", \"_\" and \"-\", at most 64", "")
		return
	}
	users := 0
	for _, other := range ck.Config.Frontends {
		if other.SharedThrottle == name && !other.IsDoor() {
			users++
		}
	}
	if users < 2 {
		ck.Warn(at, "no other frontend has this name, so nothing is shared", "the same name at each frontend of the sign-in")
	}
}

// shareThrottle checks two frontends that share their counts. A sign-in that succeeds
// at one clears the account's count for both, so the same people must be behind them;
// and with two windows the shorter one would forget what the longer one needs.
func (ck frontendCheck) shareThrottle(name, other string) {
	f, g := ck.Config.Frontends[name], ck.Config.Frontends[other]
	if f.SharedThrottle == "" || f.SharedThrottle != g.SharedThrottle || f.IsDoor() || g.IsDoor() {
		return
	}
	at := child("frontends", name, "shared_throttle")
	if f.Login.Upstream != g.Login.Upstream {
		ck.Refuse(at, "frontend "+other+" shares these counts and signs people in at another upstream", "a name for each upstream")
	}
	if f.Throttle != g.Throttle {
		ck.Refuse(at, "frontend "+other+" shares these counts and has another throttle", "the same throttle at both")
	}
}
