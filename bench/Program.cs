using Tollgate.Bench;

// One line per promise; the first argument names it. `bare`, `model` and `forwarder` are the other sides.
return args switch
{
    ["check", .. var rest] => CheckBench.Run(rest),
    ["limits", .. var rest] => LimitsBench.Run(rest),
    ["table", .. var rest] => TableBench.Run(rest),
    ["verify", .. var rest] => await VerifyBench.Run(rest),
    ["start", .. var rest] => await StartBench.Run(rest),
    ["authorize", .. var rest] => await AuthorizeBench.Run(rest),
    ["miss", .. var rest] => await MissBench.Run(rest),
    ["timing", .. var rest] => await TimingBench.Run(rest),
    ["spray", .. var rest] => await SprayBench.Run(rest),
    ["attack", .. var rest] => await AttackBench.Run(rest),
    ["money", .. var rest] => await MoneyBench.Run(rest),
    ["usage", .. var rest] => await UsageBench.Run(rest),
    ["relay", .. var rest] => await RelayBench.Run(rest),
    ["people", .. var rest] => await PeopleBench.Run(rest),
    ["console", .. var rest] => await ConsoleBench.Run(rest),
    ["bare"] => await BareServer.Run(),
    ["model"] => await ModelStandIn.Run(),
    ["forwarder", var upstream] => await BareForwarder.Run(upstream),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine(
        """
        usage: bench check [--results DIR]
               bench limits [--results DIR]
               bench table [--results DIR] [--keys N] [--seconds N]
               bench start [--results DIR] [--data DIR] [--keys N] [--rounds N]
               bench miss [--results DIR] [--keys N] [--rounds N]
               bench timing [--results DIR] [--calls N]
               bench spray [--results DIR] [--data DIR] [--keys N] [--hot N] [--unknown N] [--connections N] [--limit-mb N]
               bench usage [--results DIR] [--rounds N] [--seconds N] [--lines N]
               bench attack [--results DIR] [--seconds N]
               bench money [--results DIR] [--clients N] [--kills N] [--seconds N] [--balance AMOUNT]
               bench relay [--results DIR] [--rounds N] [--seconds N] [--streams N]
               bench people [--results DIR] [--rounds N] [--calls N]
               bench console [--results DIR] [--data DIR] [--lines N] [--rounds N]
               bench verify [--results DIR] [--data DIR] [--keys N] [--rounds N] [--seconds N] [--request-threads MODE]
               bench authorize [--results DIR] [--data DIR] [--keys N] [--rounds N] [--seconds N] [--request-threads MODE]
        """);
    return 2;
}
