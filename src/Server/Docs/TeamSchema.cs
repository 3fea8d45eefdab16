using Microsoft.OpenApi;
using Tollgate.Server.Identity;
using Tollgate.Server.Organizations;
using Tollgate.Server.Providers;
using Tollgate.Server.Teams;

namespace Tollgate.Server.Docs;

/// <summary>The bounds of what teams take.</summary>
internal static class TeamSchema
{
    public static void Bound(string place, OpenApiSchema owner, string member, OpenApiSchema schema, ProviderModel provider)
    {
        switch (place)
        {
            case "CreateTeam.name":
                SchemaRules.Need(owner, member, schema);
                (schema.MinLength, schema.MaxLength) = (1, (provider.Teams ?? new TeamRules()).NameMax);
                break;
            case "TransferTeam.person_id":
                SchemaRules.Need(owner, member, schema);
                break;
            case "CreateInvitation.email":
                SchemaRules.Need(owner, member, schema);
                schema.MaxLength = EmailAddress.LengthMax;
                break;
            case "CreateInvitation.role":
                SchemaRules.Need(owner, member, schema);
                schema.Enum = SchemaRules.Names(TeamRoles.Invited, orNull: false);
                break;
            case "SetProjectMember.role":
                SchemaRules.Need(owner, member, schema);
                schema.Enum = SchemaRules.Names(ProjectRoles.Names, orNull: false);
                break;
            case "ChangePerson.status":
                SchemaRules.Need(owner, member, schema);
                schema.Enum = SchemaRules.Names(["active", "suspended"], orNull: false);
                break;
            case "ChangeMe.name":
                SchemaRules.Need(owner, member, schema);
                (schema.MinLength, schema.MaxLength) = (1, OrganizationRegister.NameMax);
                break;
            case "ChangeMember.role":
                SchemaRules.Need(owner, member, schema);
                schema.Enum = SchemaRules.Names(TeamRoles.Names, orNull: false);
                break;
        }
    }
}
