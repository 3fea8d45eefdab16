namespace Tollgate.Server.Problems;

/// <summary>
/// One row of the catalogue of what can go wrong. Each has a page <c>docs/errors/&lt;code&gt;.md</c> and a test;
/// <see cref="Title"/> is the public sentence that never varies, the detail of an occurrence comes from its <see cref="Problem"/>.
/// </summary>
internal sealed record ProblemCode(string Code, int Status, string Title)
{
    // Who is calling
    public static readonly ProblemCode KeyMissing = new("key_missing", 401, "No API key was sent.");
    public static readonly ProblemCode InvalidKey = new("invalid_key", 401, "The API key is not valid.");
    public static readonly ProblemCode TooManyUnknownKeys =
        new("too_many_unknown_keys", 429, "Too many unknown API keys came from this network.");
    public static readonly ProblemCode KeyInQuery = new("key_in_query", 400, "An API key was sent in the URL.");
    public static readonly ProblemCode AuthorizationAmbiguous =
        new("authorization_ambiguous", 400, "More than one Authorization header was sent.");
    public static readonly ProblemCode RightMissing = new("right_missing", 403, "The API key lacks the right for this call.");
    public static readonly ProblemCode OperatorOnly = new("operator_only", 403, "Only the operator may make this call.");
    public static readonly ProblemCode AddressRefused = new("address_refused", 403, "The API key may not be used from this address.");
    public static readonly ProblemCode PermissionMissing = new("permission_missing", 403, "The API key lacks a required permission.");
    public static readonly ProblemCode ScopeMissing = new("scope_missing", 403, "The API key lacks a required scope.");
    public static readonly ProblemCode BodyCondition =
        new("body_condition", 403, "The API key may make this call only with certain members in the body.");
    public static readonly ProblemCode ModelRefused = new("model_refused", 403, "The API key may not be used for this model.");

    // People
    public static readonly ProblemCode RoleMissing = new("role_missing", 403, "Your role in this team does not allow this.");
    public static readonly ProblemCode SignInFailed =
        new("sign_in_failed", 401, "The e-mail address or the password is wrong, or the address is not confirmed yet: see your mail.");
    public static readonly ProblemCode SecondStepFailed =
        new("second_step_failed", 401, "The code is wrong, was used already, or has ended.");
    public static readonly ProblemCode PasskeyRefused =
        new("passkey_refused", 401, "The passkey proved nothing here: it is unknown, was removed, or the page stood open too long.");
    public static readonly ProblemCode TooManyTries = new("too_many_tries", 429, "That was tried too often; wait a while.");
    public static readonly ProblemCode SessionEnded =
        new("session_ended", 401, "The session has ended, or its person may not sign in.");
    public static readonly ProblemCode CsrfRefused = new("csrf_refused", 400, "The call lacks the token of its session.");
    public static readonly ProblemCode KeysOnly = new("keys_only", 403, "This call is made with a key, not by people.");
    public static readonly ProblemCode PeopleOnly = new("people_only", 403, "This is for people who have signed in; no key has it.");
    public static readonly ProblemCode LinkEnded = new("link_ended", 410, "The link was used, has ended, or is none.");
    public static readonly ProblemCode FormRefused = new("form_refused", 400, "The form did not come from our own page.");
    public static readonly ProblemCode CrossSite = new("cross_site", 403, "Another site may not send this.");
    public static readonly ProblemCode ProofNeeded = new("proof_needed", 403, "This needs a sign-in of the last ten minutes.");
    public static readonly ProblemCode HttpsNeeded =
        new("https_needed", 421, "People sign in over https, or on the machine itself.");
    public static readonly ProblemCode ConnectionRefused =
        new("connection_refused", 400, "The other provider did not prove who you are. Nothing has changed; begin again.");
    public static readonly ProblemCode ConnectionEmail =
        new("connection_email", 403, "The other provider did not tell a confirmed e-mail address.");
    public static readonly ProblemCode ConnectionUnreachable =
        new("connection_unreachable", 503, "The other provider does not answer. Sign in another way, or try again later.");

    // Limits and money
    public static readonly ProblemCode RateLimited = new("rate_limited", 429, "A limit of this API key is used up for now.");
    public static readonly ProblemCode ExceedsLimit = new("exceeds_limit", 413, "The request is larger than a limit of this API key.");
    public static readonly ProblemCode WalletEmpty = new("wallet_empty", 402, "The balance does not pay for this request.");
    public static readonly ProblemCode InFlightHolds =
        new("in_flight_holds", 402, "The rest of the balance is held for requests that are under way.");
    public static readonly ProblemCode BalanceNeeded = new("balance_needed", 402, "Keys are made only where there is a balance.");
    public static readonly ProblemCode ModelUnknown = new("model_unknown", 400, "There is no such model, or it has no price.");
    public static readonly ProblemCode QuotaExceeded = new("quota_exceeded", 403, "The plan allows no more of these.");
    public static readonly ProblemCode KeyOperationsExceeded =
        new("key_operations_exceeded", 429, "Too many keys were made or given a new secret.");
    public static readonly ProblemCode ExternalIdMismatch =
        new("external_id_mismatch", 422, "The external id was used for another amount or kind.");

    // The request itself
    public static readonly ProblemCode InvalidRequest = new("invalid_request", 400, "The request is not valid.");
    public static readonly ProblemCode InvalidJson = new("invalid_json", 400, "The body is not valid JSON.");
    public static readonly ProblemCode InvalidCursor = new("invalid_cursor", 400, "The cursor is not valid for this list.");
    public static readonly ProblemCode PathRefused = new("path_refused", 400, "The path is not in its canonical form.");
    public static readonly ProblemCode OriginalRequestMissing =
        new("original_request_missing", 400, "The proxy did not say which request it asks about.");
    public static readonly ProblemCode OriginalRequestAmbiguous =
        new("original_request_ambiguous", 400, "The proxy said more than once which request it asks about.");
    public static readonly ProblemCode NotFound = new("not_found", 404, "There is no such thing here.");
    public static readonly ProblemCode RouteUnknown = new("route_unknown", 404, "No route has this path.");
    public static readonly ProblemCode MethodNotAllowed = new("method_not_allowed", 405, "This path does not take this method.");
    public static readonly ProblemCode Conflict = new("conflict", 409, "The call does not fit the present state.");
    public static readonly ProblemCode BodyTooLarge = new("body_too_large", 413, "The body is too large.");
    public static readonly ProblemCode UnsupportedMediaType =
        new("unsupported_media_type", 415, "The body has a media type that this call does not take.");
    public static readonly ProblemCode ValidationFailed = new("validation_failed", 422, "A value is not allowed.");
    public static readonly ProblemCode IdempotencyMismatch =
        new("idempotency_mismatch", 422, "The Idempotency-Key was used with another request.");
    public static readonly ProblemCode IdempotencyInFlight =
        new("idempotency_in_flight", 409, "A request with this Idempotency-Key is still running.");
    public static readonly ProblemCode IdempotencyExpired =
        new("idempotency_expired", 409, "The answer kept for this Idempotency-Key is no longer available.");

    // Keys
    public static readonly ProblemCode OperationNotOffered =
        new("operation_not_offered", 403, "The provider does not offer this operation on keys.");
    public static readonly ProblemCode WiderThanCaller =
        new("wider_than_caller", 403, "Nobody makes, or receives the secret of, a key wider than themselves.");
    public static readonly ProblemCode KeyFinal = new("key_final", 409, "The key is revoked or deleted, which is final.");
    public static readonly ProblemCode RotationRunning =
        new("rotation_running", 409, "The grace of the last rotation is still running.");
    public static readonly ProblemCode SecretTaken = new("secret_taken", 409, "This secret is or was in use.");
    public static readonly ProblemCode ExternalIdTaken =
        new("external_id_taken", 409, "This external id stands for another imported key.");
    public static readonly ProblemCode NotRevealable = new("not_revealable", 403, "Secrets of this provider are shown once only.");

    // Webhooks
    public static readonly ProblemCode WebhookUrlRefused = new("webhook_url_refused", 422, "The webhook's URL is refused.");
    public static readonly ProblemCode WebhooksFull = new("webhooks_full", 409, "The organization has as many webhooks as it may have.");

    // The servers behind the gate
    public static readonly ProblemCode UpstreamMissing =
        new("upstream_missing", 404, "No server behind the gate serves this path and model.");
    public static readonly ProblemCode UpstreamBusy =
        new("upstream_busy", 503, "The servers behind the gate have as many requests as they take.");
    public static readonly ProblemCode UpstreamUnreachable =
        new("upstream_unreachable", 502, "The server behind the gate could not be reached.");
    public static readonly ProblemCode UpstreamTimeout =
        new("upstream_timeout", 504, "The server behind the gate did not answer in time.");
    public static readonly ProblemCode UpstreamUnauthorized =
        new("upstream_unauthorized", 502, "The server behind the gate did not accept the gate.");
    public static readonly ProblemCode UpstreamBroken =
        new("upstream_broken", 502, "The answer of the server behind the gate broke off.");

    // Ourselves
    public static readonly ProblemCode Unavailable = new("unavailable", 503, "The gate cannot answer right now.");
    public static readonly ProblemCode Internal = new("internal_error", 500, "Something went wrong on our side.");

    /// <summary>Every row, for the documentation tests and the OpenAPI document.</summary>
    public static IReadOnlyList<ProblemCode> All { get; } =
    [
        .. typeof(ProblemCode).GetFields(System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.Static)
            .Where(field => field.FieldType == typeof(ProblemCode))
            .Select(field => (ProblemCode)field.GetValue(null)!),
    ];
}
