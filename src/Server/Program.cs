using Tollgate.Server.Hosting;
using Tollgate.Server.Operating;

// A table of contents: what this executable can do.
return args switch
{
    _ when args.Any(argument => argument is "--help" or "-h") => Serve.Help(),
    [] or ["serve", ..] => await Serve.Run(args.Length == 0 ? [] : args[1..]),
    ["provider", "list"] => ProviderVerbs.List(),
    ["provider", "check", var nameOrFile] => await ProviderVerbs.Check(nameOrFile),
    ["migrate", ..] => await MigrateVerb.Run(args[1..]),
    ["backup", ..] => await BackupVerb.Run(args[1..]),
    ["restore", ..] => await RestoreVerb.Run(args[1..]),
    ["wallet", "check", ..] => await WalletVerb.Run(args[2..]),
    ["doctor", ..] => await DoctorVerb.Run(args[1..]),
    _ => Serve.Usage(),
};
