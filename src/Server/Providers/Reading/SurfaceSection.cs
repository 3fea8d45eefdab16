using Tollgate.Engine.Permissions;

namespace Tollgate.Server.Providers.Reading;

/// <summary>Reads <c>surface</c>: where and how the provider's own API answers for keys.</summary>
internal static class SurfaceSection
{
    private static readonly ScopeCatalogue NoScopes = new([], []);

    private static readonly Dictionary<string, SurfaceNeeds> Needs = new()
    {
        [PermissionSection.AnyKey] = SurfaceNeeds.AnyKey,
        ["manage_keys"] = SurfaceNeeds.ManageKeys,
        ["manage_keys or self"] = SurfaceNeeds.ManageKeysOrSelf,
    };

    public static IEnumerable<string> NeedNames => Needs.Keys;

    public static Surface Read(YamlNode? node, ErrorList errors)
    {
        var fields = FieldReader.Of(node, Vocabulary.Surface, errors);
        var keyView = fields["key_view"] is { } view ? TemplateCompiler.Compile(view, TemplateSpot.AboutAKey, errors) : null;
        var (routes, places) = (new List<SurfaceRoute>(), new List<Place>());
        foreach (var operation in Enum.GetValues<SurfaceOperation>())
        {
            if (fields[operation.ToString().ToLowerInvariant()] is { } value && ReadRoute(operation, value, errors) is { } route)
            {
                routes.Add(route);
                places.Add(value["at"]!.At);
                if (operation == SurfaceOperation.List && keyView is null)
                {
                    errors.Report(value, "a list needs key_view, which says how a key reads in it");
                }
            }
        }

        var rows = routes.Select(route => new RouteRule(route.Pattern, default) { Method = route.Method }).ToList();
        if (!RouteTable.TryBuild(rows, NoScopes, out var table, out var faults))
        {
            foreach (var fault in faults)
            {
                errors.Report(places[fault.Route], $"{routes[fault.Route].Pattern.Text} {fault.Message}");
            }
        }

        return new Surface(routes, table, keyView);
    }

    private static SurfaceRoute? ReadRoute(SurfaceOperation operation, YamlNode node, ErrorList errors)
    {
        var fields = FieldReader.Of(node, Vocabulary.SurfaceRoute, errors);
        var needs = fields.Choice("needs", Needs, SurfaceNeeds.ManageKeys);
        var status = fields.Number("status", 200, 299, operation == SurfaceOperation.Create ? 201 : 200);
        var accepts = ReadAccepts(operation, fields["accepts"], errors);
        var answers = fields["answers"] is { } body ? TemplateCompiler.Compile(body, SpotOf(operation), errors) : null;
        if (node.Kind == YamlKind.Map && (answers is null) != (status == 204))
        {
            errors.Report(
                fields["answers"] ?? node,
                status == 204 ? "an answer with status 204 has no body" : "\"answers\" is missing; only status 204 goes without");
        }

        if (operation == SurfaceOperation.Create && node.Kind == YamlKind.Map && !accepts.ContainsValue("name"))
        {
            errors.Report(fields["accepts"] ?? node, "create accepts at least the name of the key");
        }

        if (fields["at"] is not { } at || PermissionSection.ReadTarget(at, methodNeeded: true, errors) is not ({ } pattern, var method))
        {
            return null;
        }

        CheckSegments(operation, pattern, needs, at, errors);
        return new SurfaceRoute
        {
            Method = method, Pattern = pattern, Operation = operation, Needs = needs, Accepts = accepts, Status = status, Answers = answers,
        };
    }

    private static void CheckSegments(SurfaceOperation operation, RoutePattern pattern, SurfaceNeeds needs, YamlNode at, ErrorList errors)
    {
        var onOne = operation is not (SurfaceOperation.Whoami or SurfaceOperation.Create or SurfaceOperation.List);
        if (pattern.IsOpen || pattern.Segments.Any(segment => segment.Kind is not SegmentKind.Literal and not SegmentKind.Id))
        {
            errors.Report(at, "a path of the surface is literal, but for {id}");
        }
        else if (onOne != pattern.PlaceOf(SegmentKind.Id) >= 0)
        {
            errors.Report(
                at, onOne ? "the path needs {id}, the key it is about" : "the path has no {id}: it is about no key in particular");
        }

        if (needs == SurfaceNeeds.ManageKeysOrSelf && !onOne)
        {
            errors.Report(at, "\"or self\" is for paths with {id}");
        }
    }

    private static TemplateSpot SpotOf(SurfaceOperation operation) => operation switch
    {
        SurfaceOperation.List => TemplateSpot.Answer | TemplateSpot.List,
        SurfaceOperation.Create or SurfaceOperation.Rotate or SurfaceOperation.Regenerate =>
            TemplateSpot.Answer | TemplateSpot.AboutAKey | TemplateSpot.NewSecret,
        _ => TemplateSpot.Answer | TemplateSpot.AboutAKey,
    };

    private static Dictionary<string, string> ReadAccepts(SurfaceOperation operation, YamlNode? node, ErrorList errors)
    {
        var accepts = new Dictionary<string, string>(StringComparer.Ordinal);
        if (node is null || !FieldReader.IsMap(node, "accepts", errors))
        {
            return accepts;
        }

        var known = operation switch
        {
            SurfaceOperation.Create => Surface.CreateFields,
            SurfaceOperation.Rotate => Surface.RotateFields,
            _ => [],
        };
        foreach (var (member, field) in node.Fields)
        {
            if (FieldReader.TextOf(field, "accepts", 100, errors) is not { } name)
            {
                continue;
            }

            if (!known.Contains(name))
            {
                var offer = known.Count == 0
                    ? "takes no members"
                    : $"sets {string.Join(", ", known)}, not \"{name}\"{Spelling.Hint(name, known)}";
                errors.Report(field, $"{operation.ToString().ToLowerInvariant()} {offer}");
            }
            else if (accepts.ContainsValue(name))
            {
                errors.Report(field, $"\"{name}\" is set by another member already");
            }
            else if (member.Text.Length is 0 or > 64)
            {
                errors.Report(member, "a member's name has 1 to 64 characters");
            }
            else
            {
                accepts.Add(member.Text, name);
            }
        }

        return accepts;
    }
}
