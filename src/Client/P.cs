namespace Tollgate.Client;

internal static class Placeholder;
