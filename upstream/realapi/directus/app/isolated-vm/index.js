module.exports = { Isolate: class {}, Reference: class {}, Callback: class {}, ExternalCopy: class {} }
