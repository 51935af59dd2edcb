// Package store says what a store of sessions must do. It holds no code that asks one:
// the backends are in folders of their own, and package open makes the one that a URL
// names.
//
// A [Store] is four small contracts over one set of bytes: [Records], which are changed
// in single atomic steps; [Index], small tables of entries; [Counters], which count and
// remember; and [Events], messages between replicas. Code that needs one of them asks for
// that one.
//
// A store knows nothing of people, tokens or seals. Of a record it reads two things: the
// stamp, 13 decimal digits in front with the time of the last extension, and the
// generation, eight bytes big-endian from byte 20. Everything else is opaque.
//
// Keys come whole from the caller. A key may name its slot in braces, as Redis Cluster
// has it; what is beside a record (its tombstone under ":x" and its lease under ":l")
// has the record's key in front and so the same slot. Every key has a time to live, and
// time is the store's: no replica's own clock decides.
//
// Methods may be called by any number of goroutines. A returned value belongs to the
// store and must not be changed. An error means that the store could not be asked, or
// could not keep what it was given ([ErrFull]); no error names a key's content.
package store
