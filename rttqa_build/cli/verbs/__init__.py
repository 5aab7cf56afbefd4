"""The verbs as the command line has them: arguments, options and help; each calls the module that does it."""
