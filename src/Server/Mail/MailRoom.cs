namespace Tollgate.Server.Mail;

/// <summary>What the room needs to be put together.</summary>
internal static class MailRoom
{
    public static IServiceCollection AddMail(this IServiceCollection services, MailOptions options)
    {
        services.AddSingleton(options).AddSingleton<MailMeter>().AddSingleton<MailOutbox>();
        services.AddSingleton<LetterForm>().AddSingleton<SmtpSender>().AddSingleton<MailFolder>().AddSingleton<MailPage>();
        return services.AddSingleton<MailCourier>().AddHostedService(services => services.GetRequiredService<MailCourier>());
    }
}
