using Microsoft.AspNetCore.Http;
namespace Tollgate.Gateway.Upstreams;
internal static class AnswerHeaders { public static void CopyTo(HttpResponseMessage m, HttpResponse r, bool keepsLength) => throw new NotImplementedException($"{m}{r}{keepsLength}"); }
