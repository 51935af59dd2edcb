package session

import "coatcheck/bff/session/ticket"

// Ticket is the secret in the cookie.
type Ticket = ticket.Ticket

// hash names a session.
type hash = ticket.Hash
