using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Identity;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;
using Tollgate.Server.Wallet;

namespace Tollgate.Server.Console.Operator;

/// <summary>
/// Money for a customer. The form carries the external id of the entry that it will make: pressed twice, sent again or opened by the back
/// button, it pays once, for good.
/// </summary>
internal static class CustomerMoney
{
    private const string Prefix = "console ";

    private const string AmountForm =
        "It must be an amount such as 50 or 12.50: digits with at most 6 decimals, more than zero, at most 1000000000.";

    public static void MapCustomerMoney(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("/customers/{id}/money", (HttpContext http, string id) => Ask(http, id));
        pages.MapPost("/customers/{id}/money", (HttpContext http, string id) => Confirm(http, id));
        pages.MapPost("/customers/{id}/money/enter", (HttpContext http, string id) => Enter(http, id));
    }

    private static async Task<IResult> Ask(HttpContext http, string id)
    {
        var (customer, refused) = await Admit(http, id);
        return customer is null ? refused! : Form(http, customer, 200, Prefix + SecretText.New(), []);
    }

    /// <summary>Says what will happen, before it does.</summary>
    private static async Task<IResult> Confirm(HttpContext http, string id)
    {
        var (customer, refused) = await Admit(http, id);
        if (customer is null)
        {
            return refused!;
        }

        var entry = SignInEndpoints.Field(http, "entry");
        if (!Read(http, entry).TryGet(out var terms, out var problem))
        {
            return Form(http, customer, problem.Code.Status, entry, Faults(http, problem));
        }

        var services = http.RequestServices;
        var currency = services.GetRequiredService<ProviderModel>().Wallet!.Currency;
        var balance = services.GetRequiredService<WalletLedger>().FiguresOf(customer.OrganizationNo).Balance;
        var (home, amount) = (CustomerPage.HomeOf(customer), Shown.Cost(terms.Amount.Micros, currency));
        return services.GetRequiredService<FrameMaker>().Of<Frame.AskPage>(http, 200, ("Ask", new AskFacts(
            $"{(terms.Kind == EntryKinds.Grant ? "Grant" : "Top up")} {amount}: {customer.Name}", $"Put {amount} in", $"{home}/money/enter",
            $"{home}/money", IsDanger: false)
        {
            Sentences =
            [
                $"The balance is {Shown.Cost(balance.Micros, currency)} now and "
                + $"{Shown.Cost(balance.Micros + terms.Amount.Micros, currency)} after it.",
                terms.Kind == EntryKinds.Grant
                    ? "A grant is money that nobody has paid for: it is spent first, and moves to no team."
                    : "A top-up is money that was paid for. Keys that were held for want of money pass again.",
                $"The reason is told in the customer's statement: {terms.Note}",
            ],
            Hidden =
            [
                new("kind", terms.Kind), new("amount", SignInEndpoints.Field(http, "amount").Trim()), new("reason", terms.Note ?? ""),
                new("entry", entry),
            ],
        }));
    }

    private static async Task<IResult> Enter(HttpContext http, string id)
    {
        var (customer, refused) = await Admit(http, id);
        if (customer is null)
        {
            return refused!;
        }

        var entry = SignInEndpoints.Field(http, "entry");
        if (!Read(http, entry).TryGet(out var terms, out var problem))
        {
            return Form(http, customer, problem.Code.Status, entry, Faults(http, problem));
        }

        var services = http.RequestServices;
        var ledger = services.GetRequiredService<WalletLedger>();
        var entered = await services.GetRequiredService<OperatorDesk>().Write<Entered>(http, async scope =>
            (await OrganizationRegister.Find(scope, id)).TryGet(out var organization, out var fault)
                ? await ledger.Enter(scope, organization, terms)
                : fault);
        if (entered.IsOk)
        {
            return PageMaker.See(http, $"{CustomerPage.HomeOf(customer)}?done={terms.Kind}");
        }

        return entered.Problem.Code == ProblemCode.ValidationFailed
            ? Form(http, customer, entered.Problem.Code.Status, entry, Faults(http, entered.Problem))
            : services.GetRequiredService<FrameMaker>().Problem(
                http,
                entered.Problem.Code == ProblemCode.ExternalIdMismatch
                    ? entered.Problem with { Detail = "This form has paid before, another amount. For one more, open it anew." }
                    : entered.Problem,
                CustomerPage.HomeOf(customer));
    }

    private static async Task<(Organization? Found, IResult? Refused)> Admit(HttpContext http, string id)
    {
        var services = http.RequestServices;
        var (customer, refused) = await CustomerChanges.Admit(http, id);
        return customer is not null && services.GetRequiredService<ProviderModel>().Wallet is null
            ? (null, services.GetRequiredService<FrameMaker>().Problem(http, WalletLedger.NoWallet, CustomerPage.HomeOf(customer)))
            : (customer, refused);
    }

    private static Outcome<EntryTerms> Read(HttpContext http, string entry)
    {
        var (kind, reason) = (SignInEndpoints.Field(http, "kind"), SignInEndpoints.Field(http, "reason").Trim());
        if (!entry.StartsWith(Prefix, StringComparison.Ordinal) || !SecretText.IsOne(entry[Prefix.Length..]))
        {
            return Problem.Of(ProblemCode.FormRefused);
        }

        var faults = new List<FieldError>();
        if (kind is not (EntryKinds.TopUp or EntryKinds.Grant))
        {
            faults.Add(new FieldError("/kind", "must be chosen."));
        }

        if (reason.Length == 0)
        {
            faults.Add(new FieldError("/reason", $"must have 1 to {EntryTerms.NoteMax} characters."));
        }

        var read = EntryTerms.Read(new CreateWalletEntry(
            kind is EntryKinds.Grant ? EntryKinds.Grant : EntryKinds.TopUp, SignInEndpoints.Field(http, "amount").Trim(), entry, reason));
        faults.AddRange(read.Problem?.Errors ?? []);
        return faults.Count == 0 ? read : Problem.Invalid(faults);
    }

    /// <summary>By the names that the fields have here.</summary>
    private static IReadOnlyList<PageFault> Faults(HttpContext http, Problem problem) =>
    [
        .. PageMaker.Faults(http, problem).Select(fault => fault.Field switch
        {
            "note" => fault with { Field = "reason" },
            "amount" when !fault.Sentence.Contains("balance", StringComparison.Ordinal) => fault with { Sentence = AmountForm },
            _ => fault,
        }),
    ];

    private static IResult Form(HttpContext http, Organization customer, int status, string entry, IReadOnlyList<PageFault> faults)
    {
        var (home, currency) = (CustomerPage.HomeOf(customer), http.RequestServices.GetRequiredService<ProviderModel>().Wallet!.Currency);
        return http.RequestServices.GetRequiredService<FrameMaker>().Of<ChangePage>(http, status, ("Faults", faults), ("Change",
            new ChangeFacts($"Put money in: {customer.Name}", "Go on", $"{home}/money", home)
            {
                Sentences = ["The next page says what will happen. This form pays once, however often it is sent."],
                Choices =
                [
                    new ChangeChoice("kind", "What it is",
                    [
                        new FormChoice(EntryKinds.TopUp, "Top-up", "Money that was paid for.", Typed("kind") != EntryKinds.Grant),
                        new FormChoice(
                            EntryKinds.Grant, "Grant", "Money that nobody has paid for, such as a welcome or an excuse. It is spent first.",
                            Typed("kind") == EntryKinds.Grant),
                    ]),
                ],
                Fields =
                [
                    new ChangeField("amount", $"Amount in {currency}", "Such as 50 or 12.50.", Typed("amount")) { LengthMax = 30 },
                    new ChangeField("reason", "Why", "Told in the customer's statement, such as a number of an invoice.", Typed("reason"))
                    {
                        LengthMax = EntryTerms.NoteMax,
                    },
                ],
                Hidden = [new("entry", entry)],
            }));

        string Typed(string name) => http.Request.HasFormContentType ? SignInEndpoints.Field(http, name) : "";
    }
}
