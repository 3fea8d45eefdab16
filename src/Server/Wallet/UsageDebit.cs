using Tollgate.Engine.Wallet;

namespace Tollgate.Server.Wallet;

/// <summary>What requests of one organization cost that are booked together, and how many they are.</summary>
internal readonly record struct UsageDebit(long OrganizationNo, Money Amount, long Requests);
