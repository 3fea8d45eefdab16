using Tollgate.Server.Hosting;

// A table of contents: what this executable can do.
return args switch
{
    _ when args.Any(argument => argument is "--help" or "-h") => Serve.Help(),
    [] or ["serve", ..] => await Serve.Run(args.Length == 0 ? [] : args[1..]),
    ["provider", "list"] => ProviderVerbs.List(),
    ["provider", "check", var nameOrFile] => await ProviderVerbs.Check(nameOrFile),
    _ => Serve.Usage(),
};
