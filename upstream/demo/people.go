package demo

import "crypto/subtle"

// Person is somebody who can sign in. The passwords are no secrets: they open
// nothing but a demo on loopback, and the program prints them.
type Person struct {
	ID       string // unique
	Frontend string // where the demo expects them; the API itself does not mind
	Email    string // what is typed as the name
	Password string // in the clear, as the program prints it
	Name     string // to be shown
	Role     string // to be shown
	// Locked: the right password answers "account_locked".
	Locked bool
	// SecondFactor: the right password answers "mfa_required", and [Code] is needed.
	SecondFactor bool
}

// People returns the demo's people: two for the shop, of whom Grace has a second
// factor, two for the admin frontend, and one whose account is locked.
func People() []Person {
	return []Person{
		{ID: "p-1001", Frontend: "shop", Email: "ada@shop.example", Password: "engine-number-one", Name: "Ada Lovelace", Role: "customer"},
		{ID: "p-1002", Frontend: "shop", Email: "grace@shop.example", Password: "ship-in-harbour", Name: "Grace Hopper", Role: "customer", SecondFactor: true},
		{ID: "p-2001", Frontend: "admin", Email: "radia@admin.example", Password: "spanning-tree", Name: "Radia Perlman", Role: "administrator"},
		{ID: "p-2002", Frontend: "admin", Email: "hedy@admin.example", Password: "piano-roll-88", Name: "Hedy Lamarr", Role: "auditor"},
		{ID: "p-1999", Frontend: "shop", Email: "locked@shop.example", Password: "lost-my-key", Name: "Locked Out", Role: "customer", Locked: true},
	}
}

// match finds who has that address and password. Every password is compared, so
// that the time taken does not tell whether the address exists.
func match(people []Person, email, password string) (found Person, ok bool) {
	for _, p := range people {
		same := subtle.ConstantTimeCompare([]byte(p.Password), []byte(password)) == 1
		if same && p.Email == email {
			found, ok = p, true
		}
	}
	return found, ok
}

// profile is a person as the API shows them.
type profile struct {
	ID    string `json:"id"`
	Email string `json:"email"`
	Name  string `json:"name"`
	Role  string `json:"role"`
}

func (p Person) profile() profile {
	return profile{ID: p.ID, Email: p.Email, Name: p.Name, Role: p.Role}
}
