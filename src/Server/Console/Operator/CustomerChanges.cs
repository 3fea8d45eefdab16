using Tollgate.Server.Access;
using Tollgate.Server.Console.Frame;
using Tollgate.Server.Console.Keys;
using Tollgate.Server.Console.SignIn;
using Tollgate.Server.Organizations;
using Tollgate.Server.Problems;
using Tollgate.Server.Providers;

namespace Tollgate.Server.Console.Operator;

/// <summary>
/// What the operator does to a customer: another plan, a suspension and its end, and by <see cref="CustomerMoney"/> money. All of it asks
/// for a fresh sign-in, before anything is typed and in the write.
/// </summary>
internal static class CustomerChanges
{
    private static readonly Dictionary<string, string> Notices = new(StringComparer.Ordinal)
    {
        ["plan"] = "The plan is changed. It binds from the next request on.",
        ["suspend"] = "The organization is suspended. Its keys are refused from now on.",
        ["reinstate"] = "The organization is open again. Its keys pass from now on.",
        ["top_up"] = "The money is in the wallet.",
        ["grant"] = "The grant is in the wallet.",
    };

    public static void MapCustomerChanges(this IEndpointRouteBuilder pages)
    {
        foreach (var name in new[] { "plan", "suspend", "reinstate" })
        {
            pages.MapGet($"/customers/{{id}}/{name}", (HttpContext http, string id) => Ask(http, id, name));
            pages.MapPost($"/customers/{{id}}/{name}", (HttpContext http, string id) => Do(http, id, name));
        }

        pages.MapCustomerMoney();
    }

    public static string? NoticeOf(string? done) => done is null ? null : Notices.GetValueOrDefault(done);

    /// <summary>Those on offer for it as it is now.</summary>
    public static IReadOnlyList<KeyActionLink> ActionsFor(Organization customer, ProviderModel provider)
    {
        var home = CustomerPage.HomeOf(customer);
        return
        [
            .. provider.Wallet is null ? Array.Empty<KeyActionLink>()
                : [new KeyActionLink("Put money in", $"{home}/money", "A top-up that was paid for, or a grant that was not.", false)],
            .. IsOffered("plan", customer, provider)
                ? [new KeyActionLink("Change the plan", $"{home}/plan", "Other limits and quotas, from the next request on.", false)]
                : Array.Empty<KeyActionLink>(),
            .. IsOffered("reinstate", customer, provider)
                ? [new KeyActionLink("Reinstate", $"{home}/reinstate", "Let its keys pass again.", false)]
                : Array.Empty<KeyActionLink>(),
            .. IsOffered("suspend", customer, provider)
                ? [new KeyActionLink("Suspend", $"{home}/suspend", "Refuse its keys at once, until it is reinstated.", true)]
                : Array.Empty<KeyActionLink>(),
        ];
    }

    /// <summary>The customer, where a change may be asked for: by who has signed in lately, with the look told.</summary>
    public static async Task<(Organization? Found, IResult? Refused)> Admit(HttpContext http, string id)
    {
        var services = http.RequestServices;
        return (await services.GetRequiredService<OperatorDesk>().Admit(http, Act.Rule)).TryGet(out _, out var problem)
            ? await CustomerPage.Find(http, id)
            : (null, services.GetRequiredService<FrameMaker>().Problem(http, problem, CustomerPages.Home));
    }

    private static bool IsOffered(string name, Organization customer, ProviderModel provider) => name switch
    {
        "plan" => provider.Plans.Count > 1,
        "reinstate" => customer.SuspendedAtMs is not null,
        // It would stop the operator's own keys, and with them the servers that check.
        _ => customer.SuspendedAtMs is null && !customer.IsOperator,
    };

    private static async Task<IResult> Ask(HttpContext http, string id, string name)
    {
        var (customer, refused) = await Admit(http, id);
        return customer is null ? refused! : Asked(http, customer, name, 200, []);
    }

    private static async Task<IResult> Do(HttpContext http, string id, string name)
    {
        var (customer, refused) = await Admit(http, id);
        if (customer is null)
        {
            return refused!;
        }

        var services = http.RequestServices;
        var pages = services.GetRequiredService<FrameMaker>();
        if (!IsOffered(name, customer, services.GetRequiredService<ProviderModel>()))
        {
            return pages.Problem(http, NotOffered, CustomerPage.HomeOf(customer));
        }

        var register = services.GetRequiredService<OrganizationRegister>();
        var reason = SignInEndpoints.Field(http, "reason").Trim();
        var asked = new ChangeOrganization(
            null, name == "suspend" ? "suspended" : name == "reinstate" ? "active" : null,
            name == "plan" ? SignInEndpoints.Field(http, "plan") : null)
        {
            // A suspension has to be explained; what mends something may be.
            Reason = reason.Length == 0 && name != "suspend" ? null : reason,
        };
        if ((await services.GetRequiredService<OperatorDesk>().Write(http, scope => register.Change(scope, id, asked)))
            .TryGet(out _, out var problem))
        {
            return PageMaker.See(http, $"{CustomerPage.HomeOf(customer)}?done={name}");
        }

        return problem.Code == ProblemCode.ValidationFailed
            ? Asked(http, customer, name, problem.Code.Status, PageMaker.Faults(http, problem))
            : pages.Problem(http, problem, CustomerPage.HomeOf(customer));
    }

    private static Problem NotOffered => new(ProblemCode.Conflict, "That is not on offer for this organization as it is now.");

    private static IResult Asked(HttpContext http, Organization customer, string name, int status, IReadOnlyList<PageFault> faults)
    {
        var services = http.RequestServices;
        var (pages, provider) = (services.GetRequiredService<FrameMaker>(), services.GetRequiredService<ProviderModel>());
        return IsOffered(name, customer, provider)
            ? pages.Of<ChangePage>(
                http, status, ("Change", FactsOf(http, services.GetRequiredService<PlanBook>(), customer, name)), ("Faults", faults))
            : pages.Problem(http, NotOffered, CustomerPage.HomeOf(customer));
    }

    private static ChangeFacts FactsOf(HttpContext http, PlanBook plans, Organization customer, string name)
    {
        var home = CustomerPage.HomeOf(customer);
        var typed = http.Request.HasFormContentType ? SignInEndpoints.Field(http, "reason") : "";
        var why = new ChangeField("reason", "Why (optional)", ReasonHint, typed) { Rows = 2, IsRequired = false };
        return name switch
        {
            "plan" => new ChangeFacts($"Plan of {customer.Name}", "Change the plan", $"{home}/plan", home)
            {
                Sentences = ["Limits and quotas of the new plan bind from the next request on. What was counted stays counted."],
                Choices = [new ChangeChoice("plan", "Plan", PlanPage.Choices(plans, plans.Of(customer.Plan).Name))],
                Fields = [why],
            },
            "reinstate" => new ChangeFacts($"Reinstate {customer.Name}", "Reinstate", $"{home}/reinstate", home)
            {
                Sentences = ["Its keys pass again from the next request on. Keys that were disabled, revoked or have expired stay so."],
                Fields = [why],
            },
            _ => new ChangeFacts($"Suspend {customer.Name}", "Suspend", $"{home}/suspend", home)
            {
                IsDanger = true,
                Sentences =
                [
                    "All of its keys are refused from the next request on, in every project, until it is reinstated.",
                    "Its people can still sign in, and its money stays where it is.",
                ],
                Fields = [why with { Label = "Why", IsRequired = true }],
            },
        };
    }

    private const string ReasonHint = "Written into the audit log of the organization, which its people can read.";
}
