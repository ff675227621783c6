"""Accounts that traded before there were comparisons are compared from the start."""

from django.db import migrations, models


def take_up(apps, schema_editor):
    order, comparison = apps.get_model('execution', 'Order'), apps.get_model('execution', 'Comparison')
    latest = (
        order.objects.exclude(account=None)
        .order_by()
        .values('account_id', 'venue')
        .annotate(region=models.Max('region'), at=models.Max('created_at'))
    )
    comparison.objects.bulk_create(
        [
            comparison(
                account_id=row['account_id'],
                venue=row['venue'],
                region=row['region'],
                traded_at=row['at'],
                due_at=row['at'],
            )
            for row in latest
        ]
    )


class Migration(migrations.Migration):

    dependencies = [
        ('execution', '0004_comparison'),
    ]

    operations = [
        migrations.RunPython(take_up, migrations.RunPython.noop),
    ]
